"""`here`: a workload to try the contract on, once in each place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import places
from tests.cluster.containers import missing
from tests.cluster.places import Here

REAL = "MLGATES_TEST_KUBECONFIG" in os.environ and "MLGATES_TEST_CONTEXT" in os.environ


CONTAINERS = pytest.param(
    "containers", marks=[pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=f"containers: {missing()}")]
)


@pytest.fixture(params=["local", "standin", CONTAINERS, *(["real"] if REAL else [])])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Here]:
    with getattr(places, request.param)(tmp_path) as made:
        yield made


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Here]:
    with places.standin(tmp_path) as made:
        yield made

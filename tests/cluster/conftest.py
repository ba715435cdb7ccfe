"""`here`: a workload to try the contract on, once in each place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import places
from tests.cluster.places import Here

REAL = "MLGATES_TEST_KUBECONFIG" in os.environ and "MLGATES_TEST_CONTEXT" in os.environ


@pytest.fixture(params=["local", "standin", *(["real"] if REAL else [])])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Here]:
    with getattr(places, request.param)(tmp_path) as made:
        yield made


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Here]:
    with places.standin(tmp_path) as made:
        yield made

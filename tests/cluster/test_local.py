"""What only the local cluster does: a pod is ready when it answers the golden record, where one is named."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from pytest_mlgates.adapters.local.cluster import PROBE, LocalCluster
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Release
from tests.cluster.places import TINY

LIES = Release("models:/tiny/1?lies", "run-1")


@pytest.fixture
def cluster(tmp_path: Path):
    """Its pods are asked the record of their own run."""
    record = {
        "format": 1,
        "model": "tiny v1",
        "wire": "mlflow",
        "tolerance": 0.0001,
        "columns": ["a", "b"],
        "rows": [[1, 2], [3, 4]],
        "answers": [["labels", [4.0, 8.0]]],
    }
    (tmp_path / "run-1.json").write_text(json.dumps(record))
    made = LocalCluster(
        tmp_path / "cluster",
        "staging",
        command=[sys.executable, "-S", "-E", str(TINY)],
        environment={"PATH": os.environ["PATH"]},
        probe=(*PROBE, str(tmp_path / "{run_id}.json")),
        lasting=False,
    )
    yield made
    made.remove()


def test_a_pod_that_answers_its_golden_record_is_ready(cluster: LocalCluster) -> None:
    cluster.deploy(Release("models:/tiny/1", "run-1"))
    cluster.settle(20)
    assert [pod.ready for pod in cluster.pods()] == [True]


def test_one_that_answers_as_another_model_is_not(cluster: LocalCluster) -> None:
    cluster.deploy(LIES)
    with pytest.raises(CouldNotEvaluate) as told:
        cluster.settle(4)
    assert "not finished within 4 s" in str(told.value)
    assert "is not ready: NOT READY: http://127.0.0.1:" in str(told.value)


def test_nor_is_one_without_a_record(cluster: LocalCluster, tmp_path: Path) -> None:
    cluster.deploy(Release("models:/tiny/2", "run-2"))
    with pytest.raises(CouldNotEvaluate) as told:
        cluster.settle(4)
    assert f"the golden record {tmp_path}/run-2.json cannot be read: No such file or directory" in str(told.value)

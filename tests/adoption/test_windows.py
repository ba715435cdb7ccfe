"""On Windows the parts that start child processes refuse in one sentence, before anything is imported or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mlgates.doors.outside import open_cluster
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.policy import ClusterSettings
from pytest_mlgates.settings import Settings

SENTENCE = "in forked child processes, which Windows does not have: run this on Linux, or in WSL 2"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("sys.platform", "win32")
    cluster = ClusterSettings(kind="local", deployment="scorer")
    return Settings(model="m", golden="g.csv", label="y", task="binary", base=tmp_path, cluster=cluster)


def test_models_are_not_scored(settings: Settings) -> None:
    with pytest.raises(CouldNotEvaluate) as problem:
        open_scorer(settings, {})
    assert str(problem.value) == f"models are scored {SENTENCE}"


@pytest.mark.parametrize("drill", [False, True])
def test_no_cluster_is_opened(settings: Settings, drill: bool) -> None:
    with pytest.raises(CouldNotEvaluate) as problem:
        open_cluster(settings, "sqlite:///m.db", {}, drill=drill)
    assert str(problem.value) == f"workloads are asked and drilled {SENTENCE}"
    assert not (settings.base / ".mlgates").exists()

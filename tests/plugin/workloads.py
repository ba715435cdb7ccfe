"""A local cluster of fast pods in a test's repository: pods that answer as the registry's versions do."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from mlrepo import Repo
from pytest_mlgates.adapters.local.cluster import LocalCluster, keeper_of

POD = Path(__file__).parents[1] / "cluster" / "linear_pod.py"


def asks(
    repo: Repo,
    tricks: dict[str, str] | None = None,
    rollout: float = 15,
    *,
    repeats: int = 1,
    more: str = "",
    **keys: Any,
) -> None:
    """A local cluster of fast pods; `tricks` maps a version to what its pods do wrong."""
    command = json.dumps([sys.executable, "-S", "-E", str(POD), json.dumps(tricks or {})])
    repo.settings(
        f"""
        [tool.mlgates.cluster]
        kind = "local"
        command = {command}
        rollout_s = {rollout}
        [tool.mlgates.rollback_drill]
        repeats = {repeats}
        rate = 50
        {more}
        """,
        **keys,
    )


def with_runs(repo: Repo) -> None:
    """Every version has a run of its own, so that pods can say which one they serve."""
    with repo.database() as db:
        db.execute("update model_versions set run_id = 'run-' || version where run_id is null")


def workload(repo: Repo, name: str = "serving") -> LocalCluster:
    command = [sys.executable, "-S", "-E", str(POD)]
    return LocalCluster(repo.path / ".mlgates" / "cluster", name, command=command, environment={})


def serves(repo: Repo) -> str:
    release = workload(repo).release()
    return release.model_uri if release else ""


def stop(repo: Repo) -> None:
    keeper = keeper_of(repo.path / ".mlgates" / "cluster")
    if keeper is not None:
        os.kill(keeper["pid"], signal.SIGTERM)

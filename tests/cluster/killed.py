"""A drill killed at every step, one after another, each followed by a whole one: what is left over?

    python -m tests.cluster.killed local|standin FOLDER FIRST STEP

A step is a moment just before or just after a call that can change something. Prints one JSON line a step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.kubernetes.cluster import KubernetesCluster
from pytest_mlgates.adapters.kubernetes.deployment import Place
from pytest_mlgates.adapters.local.cluster import LocalCluster
from pytest_mlgates.measure.drill import rehearse
from pytest_mlgates.ports import Release
from pytest_mlgates.rollout.staging import set_up
from tests.cluster.cast import POLICY, FileRegistry, counted, golden, outside, quiet
from tests.cluster.places import TINY

ALIASES = {"champion": "1", "challenger": "2"}


def opened(kind: str, folder: Path) -> Any:
    if kind == "standin":
        place = Place("standin", "staging", "scorer", "model", kubeconfig=str(folder / "kubeconfig.json"))
        return KubernetesCluster(place)
    command = [sys.executable, "-S", "-E", str(TINY)]
    return LocalCluster(
        folder / "cluster", "staging", command=command, environment={"PATH": os.environ["PATH"]}, lasting=False
    )


def drill(kind: str, folder: Path, die_at: int) -> int:
    """The number of steps; killed with SIGKILL at step `die_at`."""
    steps = 0

    def step(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    cluster = counted(opened(kind, folder), step)
    registry = counted(FileRegistry(folder / "aliases.json"), step)
    stage = set_up(outside(cluster, registry), golden(), POLICY, quiet)
    drilled = rehearse(stage, 1, quiet)
    assert drilled.restored and not drilled.trouble, drilled.trouble
    assert drilled.asked is not None and not drilled.asked.failed, drilled.asked
    cluster.close()
    return steps


def forked(work: Callable[[], Any]) -> int:
    """Do `work` in a fork; minus the signal that killed it, or its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a fork never returns to its caller
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def left(kind: str, folder: Path) -> list[str]:
    """What is not as it was before any drill."""
    found = []
    aliases = FileRegistry(folder / "aliases.json").aliases
    if aliases != ALIASES:
        found.append(f"aliases {aliases}")
    cluster = opened(kind, folder)
    if cluster.note():
        found.append(f"note {cluster.note()}")
    marked = [one for one in cluster.revisions() if one.mark]
    found += [f"revision {one}" for one in marked]
    serves = cluster.release()
    if serves != (None if kind == "local" else Release("models:/tiny/1", "run-1")):
        found.append(f"serves {serves}")
    if kind == "local":
        deadline = time.monotonic() + 10
        while (names := strays(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
        found += [f"process {name}" for name in names]
    cluster.close()
    return found


def strays(folder: Path) -> list[str]:
    """Processes that mention the folder or serve the tiny pod for it, as the system lists them."""
    return [file.name for file in (folder / "cluster" / "pods").glob("*")]


def main(kind: str, folder: Path, first: int, every: int) -> int:
    bad, number = 0, first
    while True:
        (folder / "aliases.json").write_text(json.dumps(ALIASES))
        code = forked(lambda number=number: drill(kind, folder, number))  # type: ignore[misc]
        again = forked(lambda: drill(kind, folder, 0))
        over = left(kind, folder)
        bad += bool(over or again)
        print(json.dumps({"step": number, "first": code, "again": again, "left": over}), flush=True)
        if code != -signal.SIGKILL:
            return bad
        number += every


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))

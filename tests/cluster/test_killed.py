"""A drill is killed with SIGKILL at every step; the next one finds everything and nothing is left over."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.ports import Release
from tests.cluster import places

ROOT = Path(__file__).parents[2]
KILLED = -9


@pytest.fixture(params=["local", "standin"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    if request.param == "local":
        yield "local", tmp_path
        return
    with places.standin(tmp_path) as here:
        here.cluster.deploy(Release("models:/tiny/1", "run-1"))
        here.cluster.settle(20)
        yield "standin", tmp_path


def runs(place: tuple[str, Path], first: int, every: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.cluster.killed", place[0], str(place[1]), str(first), str(every)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(found: list[dict[str, Any]], at_least: int) -> None:
    assert [one for one in found if one["left"] or one["again"]] == []
    *killed, last = found
    assert [one["first"] for one in killed] == [KILLED] * len(killed)
    assert last["first"] == 0, "the last one ran to its end"
    assert len(killed) >= at_least


@pytest.mark.slow
def test_a_drill_killed_at_some_steps_leaves_nothing(place: tuple[str, Path]) -> None:
    check(runs(place, 5, 11), 2)


@pytest.mark.long
def test_a_drill_killed_at_every_step_leaves_nothing(place: tuple[str, Path]) -> None:
    check(runs(place, 1, 1), 20)

"""Real processes on real stores: many at once, and killed at every step."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from pytest_mlgates.promotion.book import Book

from . import worker
from .moves import ALIAS, book_of, promote, repair, roll_back
from .steps import Tape, Watched
from .stores import EVERY_STORE, Crowd, crowd, finish, make_model

pytestmark = pytest.mark.slow

WORKERS = 16
Promise = Callable[[str, object], None]


def _well(found: Crowd) -> None:
    assert found.violations == []
    assert found.unexplained == 0
    assert found.outcomes["done"] >= WORKERS
    assert found.outcomes["moved"] > 0, "nobody met anybody: the test shows nothing"
    # A machine under load may leave an answer open; then, and only then, there may be something to finish.
    assert found.left == "" or found.outcomes["unknown"]


@pytest.mark.parametrize("store", EVERY_STORE)
def test_sixteen_processes(
    store: str, forkserver: ForkServerContext, request: pytest.FixtureRequest, tmp_path: Path, promise: Promise
) -> None:
    found = crowd(forkserver, request.getfixturevalue(store), tmp_path, workers=WORKERS, operations=208, bound=300)
    promise(f"{WORKERS} processes at once, {store}", found)
    _well(found)


@pytest.mark.long
@pytest.mark.parametrize("store", ["sqlite", "server", "postgres"])
def test_sixteen_processes_for_long(
    store: str, forkserver: ForkServerContext, request: pytest.FixtureRequest, tmp_path: Path, promise: Promise
) -> None:
    uri, operations = request.getfixturevalue(store), int(os.environ.get("MLGATES_TEST_OPERATIONS", "2000"))
    found = crowd(forkserver, uri, tmp_path, workers=WORKERS, operations=operations, bound=300 + operations)
    promise(f"{WORKERS} processes at once, {store}", found)
    _well(found)


def _length(uri: str, act: str) -> int:
    """How many fault points an undisturbed `act` has."""
    log, registry = worker.stores(uri, f"{act} measured")
    tape = Tape()
    move = (lambda book, r: promote(book, r, "3")) if act == "promote" else roll_back
    move(Book(Watched(log, tape)), Watched(registry, tape))
    return len(tape.said)


@pytest.mark.parametrize(
    "store", ["sqlite", *(pytest.param(s, marks=pytest.mark.long) for s in ("server", "postgres"))]
)
@pytest.mark.parametrize(("act", "old", "new"), [("promote", "2", "3"), ("roll_back", "2", "1")])
def test_killed_at_every_step(
    store: str,
    forkserver: ForkServerContext,
    request: pytest.FixtureRequest,
    promise: Promise,
    act: str,
    old: str,
    new: str,
) -> None:
    """One model a fault point; each is left by a process that died there, and repaired by the next start."""
    uri = request.getfixturevalue(store)

    def prepare(model: str) -> None:
        make_model(uri, model, versions=3, champion="1")
        log, registry = worker.stores(uri, model)
        promote(book_of(log, registry), registry, "2")

    prepare(f"{act} measured")
    length = _length(uri, act)
    assert length >= 18
    jobs = [(f"{act} {position}", act, position) for position in range(length)]
    for model, _, _ in jobs:
        prepare(model)
    lanes = [forkserver.Process(target=worker.killed_at, args=(uri, jobs[lane::2])) for lane in range(2)]
    for lane in lanes:
        lane.start()
    finish(lanes, 300)
    ended = set()
    for model, _, _ in jobs:
        log, registry = worker.stores(uri, model)
        left = registry.find(ALIAS)
        assert left is not None and left.number in (old, new), model
        report = repair(log, registry)
        now = registry.find(ALIAS)
        assert report.trouble == "", model
        assert now is not None and now.number == report.champion in (old, new), model
        ended.add((left.number, report.champion, bool(report.finished)))
        again = repair(log, registry)
        assert (again.did, again.finished) == ((), ()), model
    # Not begun; written but not moved; moved but not noted; all done.
    assert ended == {(old, old, False), (old, new, True), (new, new, True), (new, new, False)}
    promise(
        f"SIGKILL at every step of {act.replace('_', ' ')}, {store}", f"{length} steps, 0 left between, 1 pass repairs"
    )

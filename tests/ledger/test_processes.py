"""Real processes on real stores: many at once, and killed at every step."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from pytest_mlgates.book import Book

from . import worker
from .moves import ALIAS, book_of, promote, repair, roll_back
from .steps import Tape, Watched
from .stores import crowd, finish, make_model

WORKERS = 16


def _well(found: object) -> None:
    from .stores import Crowd

    assert isinstance(found, Crowd)
    print(found)
    assert found.violations == []
    assert found.unexplained == 0
    assert found.outcomes["done"] >= WORKERS
    assert found.outcomes["moved"] > 0, "nobody met anybody: the test shows nothing"
    # A machine under load may leave an answer open; then, and only then, there may be something to finish.
    assert found.left == "" or found.outcomes["unknown"]


def test_sixteen_processes_on_sqlite(forkserver: ForkServerContext, sqlite: str, tmp_path: Path) -> None:
    _well(crowd(forkserver, sqlite, tmp_path, workers=WORKERS, operations=208, bound=300))


@pytest.mark.long
def test_sixteen_processes_on_sqlite_for_long(forkserver: ForkServerContext, sqlite: str, tmp_path: Path) -> None:
    _well(crowd(forkserver, sqlite, tmp_path, workers=WORKERS, operations=2000, bound=1200))


def _length(uri: str, act: Callable[[Book, object], object]) -> int:
    log, registry = worker.stores(uri, "measured")
    tape = Tape()
    act(Book(Watched(log, tape)), Watched(registry, tape))
    return len(tape.said)


@pytest.mark.parametrize(("act", "old", "new"), [("promote", "2", "3"), ("roll_back", "2", "1")])
def test_killed_at_every_step(forkserver: ForkServerContext, sqlite: str, act: str, old: str, new: str) -> None:
    """One model a fault point; each is left by a process that died there, and repaired by the next start."""

    def prepare(model: str) -> None:
        make_model(sqlite, model, versions=3, champion="1")
        log, registry = worker.stores(sqlite, model)
        promote(book_of(log, registry), registry, "2")

    prepare("measured")
    length = _length(sqlite, (lambda b, r: promote(b, r, "3")) if act == "promote" else (lambda b, r: roll_back(b, r)))
    assert length >= 18
    for position in range(length):
        prepare(f"point-{position}")
    jobs = [(f"point-{position}", act, position) for position in range(length)]
    lanes = [forkserver.Process(target=worker.killed_at, args=(sqlite, jobs[lane::2])) for lane in range(2)]
    for lane in lanes:
        lane.start()
    finish(lanes, 300)
    ended = set()
    for model, _, _ in jobs:
        log, registry = worker.stores(sqlite, model)
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


@pytest.mark.long
@pytest.mark.parametrize("store", ["server", "postgres"])
def test_sixteen_processes_on_a_server(
    store: str, forkserver: ForkServerContext, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    uri = request.getfixturevalue(store)
    _well(crowd(forkserver, uri, tmp_path, workers=WORKERS, operations=2000, bound=1800))

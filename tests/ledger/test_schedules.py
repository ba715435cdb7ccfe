"""Writers interleaved call by call in drawn orders, some stopped dead on the way; one seed, one schedule."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from pytest_mlgates.errors import ChampionMoved
from pytest_mlgates.ledger import Entry, Kind, MovedByHand, rollback_targets
from pytest_mlgates.promotion import projector
from pytest_mlgates.promotion.book import Book
from pytest_mlgates.promotion.projector import change
from pytest_mlgates.promotion.reconcile import reconcile

from .checker import Said, violations
from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, repair
from .steps import Watched

BOUND = 30.0


class Killed(BaseException):
    """Stops a writer between two calls, as SIGKILL would."""


class Writer(threading.Thread):
    """Does its work one port call at a time, each when it is given its turn."""

    def __init__(self, work: Callable[[Writer], None], lifetime: int) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._left = lifetime
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self.problem: BaseException | None = None
        self.killed = False

    def run(self) -> None:
        self._turn.acquire(timeout=BOUND)
        try:
            self._work(self)
        except Killed:
            self.killed = True
        except BaseException as problem:  # noqa: BLE001 - told to the test
            self.problem = problem
        finally:
            self._left = -1
            self._back.release()

    def hook(self, when: str, name: str) -> None:
        if when == "before":
            self._back.release()
            assert self._turn.acquire(timeout=BOUND)
            self._left -= 1
            if self._left == 0:
                raise Killed

    def step(self) -> bool:
        """One turn; False when it has ended."""
        self._turn.release()
        assert self._back.acquire(timeout=BOUND)
        return self._left >= 0


def play(
    seed: int, *, writers: int, killed: int, reconciling: float = 0.0
) -> tuple[MemoryLog, MemoryRegistry, list[Said]]:
    """A drawn schedule of `writers`, of which `killed` stop somewhere; a share of their moves is `reconciling`."""
    dice = random.Random(seed)
    log, registry = MemoryLog(), MemoryRegistry(champion="1")
    book_of(log, registry)
    said: list[Said] = []
    clock = iter(range(1_000_000))

    def work(writer: Writer) -> None:
        book = Book(Watched(log, writer.hook))
        watched = Watched(registry, writer.hook)
        for _ in range(3):
            if dice.random() < reconciling:
                reconcile(book, watched, ALIAS, actor="a start beside it")
                continue
            state = book.refresh()
            targets = rollback_targets(state)
            back = bool(targets) and dice.random() < 0.4
            others = [str(n) for n in range(1, 10) if str(n) != state.champion]
            to = targets[0] if back else dice.choice(others)
            kind = Kind.ROLLBACK if back else Kind.PROMOTE
            entry = Entry(kind, "tests", from_=state.champion, to=to, after=state.last, reason="drawn")
            told = Said(entry.operation, state.champion, to, "unknown", next(clock), 1_000_000)
            said.append(told)
            outcome = "moved"
            try:
                change(book, watched, ALIAS, entry)
                outcome = "done"
            except ChampionMoved:
                pass
            except MovedByHand:
                # A reconcile took a slow writer for dead, and its late move for one by hand: the entry stands.
                outcome = "unknown"
            said[said.index(told)] = Said(told.operation, told.judged_against, to, outcome, told.started, next(clock))

    crowd = [Writer(work, dice.randrange(2, 25) if n < killed else 10**9) for n in range(writers)]
    for writer in crowd:
        writer.start()
    alive = list(crowd)
    while alive:
        # Runs of turns as well as strict alternation: a writer left behind for long is the dangerous one.
        writer = dice.choice(alive)
        for _ in range(dice.choice((1, 1, 2, 5, 12))):
            if not writer.step():
                alive.remove(writer)
                break
    assert [w.problem for w in crowd if w.problem] == []
    return log, registry, said


@pytest.mark.parametrize("block", range(4))
def test_any_interleaving_is_linearizable_and_the_last_look_is_right(block: int) -> None:
    for seed in range(block * 75, block * 75 + 75):
        log, registry, said = play(seed, writers=4, killed=0)
        assert violations(said, log.stored, registry.aliases[ALIAS]) == [], f"seed {seed}"
        assert repair(log, registry).did == (), f"seed {seed}: something was left to repair"


@pytest.mark.parametrize("block", range(4))
def test_writers_killed_anywhere_among_others_are_repaired_in_one_pass(block: int) -> None:
    repaired = 0
    for seed in range(block * 75, block * 75 + 75):
        log, registry, said = play(seed, writers=4, killed=2)
        report = repair(log, registry)
        assert report.trouble == "", f"seed {seed}"
        assert violations(said, log.stored, registry.aliases[ALIAS]) == [], f"seed {seed}"
        repaired += bool(report.finished)
    assert repaired > 10


def test_starts_that_reconcile_beside_living_writers_leave_nothing_wrong() -> None:
    for seed in range(150):
        log, registry, said = play(seed, writers=4, killed=0, reconciling=0.35)
        assert repair(log, registry).trouble == "", f"seed {seed}"
        assert violations(said, log.stored, registry.aliases[ALIAS]) == [], f"seed {seed}"


def test_a_late_move_of_a_writer_taken_for_dead_is_reported_or_repaired_never_lost() -> None:
    for seed in range(150):
        log, registry, said = play(seed, writers=4, killed=2, reconciling=0.35)
        report = repair(log, registry)
        if report.trouble:
            assert "was moved by hand" in report.trouble
            repair(log, registry, on_hand_move="revert")
        assert violations(said, log.stored, registry.aliases[ALIAS]) == [], f"seed {seed}"


def test_the_schedules_would_find_a_projector_that_does_not_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power of the test above: with a bare overwrite instead, it fails within a few schedules."""

    def once(book: Book, registry: MemoryRegistry, reference: str) -> bool:
        state = book.refresh()
        found = registry.find(state.champion)
        assert found is not None
        registry.point(reference, found)
        return True

    monkeypatch.setattr(projector, "settle", once)
    began = time.monotonic()
    for seed in range(75):
        log, registry, said = play(seed, writers=4, killed=0)
        if violations(said, log.stored, registry.aliases[ALIAS]):
            return
    raise AssertionError(f"no violation in 75 schedules ({time.monotonic() - began:.1f} s)")

"""Every call to the registry fails before or after its effect, alone and in pairs: no wrong state, one pass repairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, MlgatesError
from pytest_mlgates.ledger import Kind, OutcomeUnknown, replay
from pytest_mlgates.ledger.wire import record
from pytest_mlgates.promotion import book as book_module
from pytest_mlgates.promotion.book import ATTEMPTS, Book
from pytest_mlgates.promotion.reconcile import reconcile

from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, promote, repair, roll_back
from .steps import Tape, Watched, fail

Act = Callable[[Book, Any], object]
Promise = Callable[[str, object], None]


def _promote(book: Book, registry: Any) -> object:
    return promote(book, registry, "3")


def _first(book: Book, registry: Any) -> object:
    return promote(book_of(book.log, registry), registry, "3")


def _adopt(book: Book, registry: Any) -> object:
    return reconcile(book, registry, ALIAS, actor="on-call", on_hand_move="adopt")


def _revert(book: Book, registry: Any) -> object:
    return reconcile(book, registry, ALIAS, actor="on-call", on_hand_move="revert")


#: name -> (what is done, where the alias stands at the start, where it may end)
ACTS: dict[str, tuple[Act, str, str]] = {
    "promote": (_promote, "2", "3"),
    "roll back": (lambda book, registry: roll_back(book, registry), "2", "1"),
    "adopt": (_adopt, "7", "7"),
    "revert": (_revert, "7", "2"),
    "first use": (_first, "2", "3"),
}


def _stores(name: str) -> tuple[MemoryLog, MemoryRegistry]:
    """v1 was champion, v2 is; in `first use` no ledger knows of it yet."""
    log, registry = MemoryLog(), MemoryRegistry(champion="1")
    if name == "first use":
        registry.aliases[ALIAS] = "2"
        return log, registry
    promote(book_of(log, registry), registry, "2")
    registry.aliases[ALIAS] = ACTS[name][1]
    return log, registry


def _run(name: str, faults: dict[int, Callable[[], None]]) -> tuple[MemoryLog, MemoryRegistry, Tape, str]:
    """Do it with the faults; "" where it was acknowledged, else the kind of error."""
    log, registry = _stores(name)
    tape = Tape(faults)
    try:
        ACTS[name][0](Book(Watched(log, tape)), Watched(registry, tape))
    except MlgatesError as problem:
        return log, registry, tape, type(problem).__name__
    return log, registry, tape, ""


def _length(name: str) -> int:
    return len(_run(name, {})[2].said)


def _check(name: str, log: MemoryLog, registry: MemoryRegistry, error: str) -> None:
    _, old, new = ACTS[name]
    assert registry.aliases[ALIAS] in (old, new)
    first = repair(log, registry, on_hand_move="adopt" if name == "adopt" else "revert")
    state = replay(record(row.number, row.facts) for row in log.rows())
    state.require_sound()
    assert registry.aliases[ALIAS] == state.champion == first.champion
    assert not state.pending
    if not error:
        assert state.champion == new
    operations = [ruling.entry.operation for ruling in state.counted]
    assert len(operations) == len(set(operations))
    before = dict(log.stored)
    assert repair(log, registry).did == ()
    assert log.stored == before


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "_pause", lambda attempt: None)


@pytest.mark.parametrize("name", ACTS)
def test_one_fault_anywhere_leaves_the_old_or_the_new_champion(name: str) -> None:
    length = _length(name)
    assert length >= 10
    for position in range(length):
        log, registry, _, error = _run(name, {position: fail(CouldNotEvaluate("timeout"))})
        _check(name, log, registry, error)


@pytest.mark.parametrize("name", ACTS)
def test_two_faults_anywhere_leave_the_old_or_the_new_champion(name: str, promise: Promise) -> None:
    length = _length(name) + 10
    pairs = list(itertools.combinations(range(length), 2))
    for pair in pairs:
        log, registry, _, error = _run(name, {at: fail(CouldNotEvaluate("timeout")) for at in pair})
        _check(name, log, registry, error)
    promise(f"two calls of one {name} fail", f"{len(pairs)} pairs, 0 wrong states, 1 pass repairs")


@pytest.mark.parametrize("name", ACTS)
def test_a_registry_that_dies_for_good_is_never_called_a_success(name: str) -> None:
    """From the k-th call on nothing answers. Success may be said only if everything but the last note was done."""
    length = _length(name)
    for position in range(length):
        dead = {at: fail(CouldNotEvaluate("connection refused")) for at in range(position, position + 100)}
        log, registry, tape, error = _run(name, dead)
        if not error:
            assert ("after", "point") in tape.said[:position] or name == "adopt"
        _check(name, log, registry, error)


def test_a_lost_answer_makes_one_entry(promise: Promise) -> None:
    log, registry = _stores("promote")
    tape = Tape()
    promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    lost = tape.said.index(("after", "add"))
    log, registry, tape, error = _run("promote", {lost: fail(CouldNotEvaluate("reset by peer"))})
    assert error == ""
    assert [facts["mlgates.kind"] for facts in log.stored.values()] == ["genesis", "promote", "promote"]
    promise("lost answer, the client repeats the call", "1 entry counts")


class LateLog(MemoryLog):
    """The first append is answered with a timeout, and arrives only after the next one."""

    late: dict[str, str] | None = None

    def add(self, facts: Any, run: str = "") -> int:
        if facts["mlgates.kind"] == Kind.PROMOTE and self.late is None:
            self.late = dict(facts)
            raise CouldNotEvaluate("timeout")
        number = super().add(facts, run)
        if self.late:
            super().add(self.late)
        return number


def test_a_call_that_was_repeated_and_arrives_twice_counts_once() -> None:
    log, registry = LateLog(), MemoryRegistry(champion="1")
    book = book_of(log, registry)
    assert promote(book, registry, "2").serves
    rulings = book.refresh().rulings
    assert [ruling.fate for ruling in rulings] == ["counts", "counts", "repeated"]
    assert rulings[1].entry.operation == rulings[2].entry.operation
    assert rulings[2].why == "the same operation again: a repeated call, counted once"


def test_an_unknown_outcome_names_the_operation_and_reconcile_resolves_it() -> None:
    log, registry = _stores("promote")
    arrived: list[Any] = []

    class Silent(MemoryLog):
        stored = log.stored

        def add(self, facts: Any, run: str = "") -> int:
            arrived.append(facts)
            raise CouldNotEvaluate("timeout")

    silent = Silent()
    silent.there, silent.stored = True, log.stored
    with pytest.raises(OutcomeUnknown) as caught:
        promote(Book(silent), registry, "3")
    assert len(arrived) == ATTEMPTS
    assert len({facts["mlgates.operation"] for facts in arrived}) == 1
    assert caught.value.operation == arrived[0]["mlgates.operation"]
    assert caught.value.operation in str(caught.value)
    assert registry.aliases[ALIAS] == "2"
    log.add(arrived[0])
    report = repair(log, registry)
    assert (registry.aliases[ALIAS], report.finished) == ("3", (3, 4))
    assert "finishes entry 3 (promote of v3 by tests)" in report.did[0]


def test_a_store_that_refuses_the_entry_changed_nothing() -> None:
    log, registry = _stores("promote")
    tape = Tape()
    promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    refused = tape.said.index(("before", "add"))
    log, registry = _stores("promote")
    tape = Tape({refused: fail(ActionFailed("the registry does not allow it"))})
    with pytest.raises(ActionFailed, match=r"^nothing was changed: the registry does not allow it$"):
        promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    assert registry.aliases[ALIAS] == "2"
    assert len(log.stored) == 2


def test_refused_after_an_answer_was_lost_is_still_unknown() -> None:
    """The token expired between the call and its repetition: the first one may have arrived."""
    log, registry = _stores("promote")

    class Expiring(MemoryLog):
        calls = 0

        def add(self, facts: Any, run: str = "") -> int:
            self.calls += 1
            raise CouldNotEvaluate("timeout") if self.calls == 1 else ActionFailed("401")

    expiring = Expiring()
    expiring.there, expiring.stored = True, log.stored
    with pytest.raises(OutcomeUnknown, match="it is unknown whether the promote of v3 was written"):
        promote(Book(expiring), registry, "3")


def test_a_note_that_cannot_be_written_is_said_and_the_promotion_stands() -> None:
    log, registry = _stores("promote")
    tape = Tape()
    promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    log, registry = _stores("promote")
    tape = Tape({tape.said.index(("before", "note")): fail(CouldNotEvaluate("timeout"))})
    done = promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    assert done.serves
    assert done.note_missing == "done, but entry 3 could not be noted as projected: timeout"
    assert repair(log, registry).finished == (3,)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_move_that_mlflow_loses_to_its_own_races_is_tried_again(when: str) -> None:
    log, registry = _stores("promote")
    tape = Tape()
    promote(Book(Watched(log, tape)), Watched(registry, tape), "3")
    lost = tape.said.index((when, "point"))
    log, registry, _, error = _run("promote", {lost: fail(CouldNotEvaluate("IntegrityError"))})
    assert (error, registry.aliases[ALIAS]) == ("", "3")
    assert not replay(record(row.number, row.facts) for row in log.rows()).pending

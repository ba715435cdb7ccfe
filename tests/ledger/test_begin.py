"""How a ledger begins, and what is said when it was deleted or begun anew."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_mlgates.ledger import Kind, LedgerBroken
from pytest_mlgates.promotion.book import begin, read

from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, promote


def test_a_registry_that_has_a_champion_is_adopted_as_it_is() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    state = book_of(log, registry).state
    first = state.rulings[0].entry
    assert (state.champion, state.last, first.kind, first.actor) == ("4", 1, Kind.GENESIS, "tests")
    assert first.reason == "'champion' was v4"
    assert log.said == first.operation


def test_a_registry_without_champion_begins_with_none() -> None:
    log, registry = MemoryLog(), MemoryRegistry()
    book = book_of(log, registry)
    assert book.state.champion == ""
    assert promote(book, registry, "1").champion == "1"
    assert registry.aliases == {ALIAS: "1"}


def test_beginning_again_changes_nothing() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    book_of(log, registry)
    before = dict(log.stored)
    registry.aliases[ALIAS] = "5"
    assert book_of(log, registry).state.champion == "4"
    assert log.stored == before


def test_looking_begins_nothing() -> None:
    log = MemoryLog()
    assert read(log) is None
    assert not log.exists()


def test_of_two_that_begin_at_once_the_first_genesis_stands() -> None:
    registry = MemoryRegistry(champion="4")

    class Rival(MemoryLog):
        begun = False

        def add(self, facts: Mapping[str, str], run: str = "") -> int:
            if not self.begun:
                self.begun = True
                begin(self, MemoryRegistry(champion="3"), ALIAS, actor="rival")
            return super().add(facts, run)

    log = Rival()
    state = begin(log, registry, ALIAS, actor="late").state
    assert state.champion == "3"
    assert [ruling.fate for ruling in state.rulings] == ["counts", "stale"]
    assert log.said == state.rulings[0].entry.operation


def test_a_deleted_ledger_is_noticed() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    book_of(log, registry)
    log.there, log.stored = False, {}
    for look in (lambda: read(log), lambda: book_of(log, registry)):
        with pytest.raises(
            LedgerBroken, match=r"^the ledger 'm\.mlgates-ledger' was deleted: the model says it has one"
        ):
            look()
    assert not log.there


def test_a_recreated_ledger_is_noticed() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    book_of(log, registry)
    first = log.said
    log.stored, log.highest = {}, 0
    with pytest.raises(
        LedgerBroken, match=f"was recreated: it begins with operation nothing, but the model says {first}"
    ):
        book_of(log, registry)
    mark, log.said = log.said, ""
    book_of(log, registry)
    log.said = mark
    with pytest.raises(LedgerBroken, match="was recreated"):
        read(log)


def test_a_beginning_cut_off_before_its_mark_is_completed() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    book_of(log, registry)
    mark, log.said = log.said, ""
    book_of(log, registry)
    assert log.said == mark


def test_an_empty_ledger_cut_off_before_its_genesis_is_completed() -> None:
    log, registry = MemoryLog(), MemoryRegistry(champion="4")
    log.create()
    assert book_of(log, registry).state.champion == "4"


def test_an_empty_ledger_is_not_begun_and_no_move_by_hand() -> None:
    log = MemoryLog()
    log.create()
    assert read(log) is None

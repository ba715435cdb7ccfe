"""Moves that nobody wrote down: seen, named, and never undone unasked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_mlgates.errors import ActionFailed, ChampionMoved, UsageError
from pytest_mlgates.ledger import Entry, Kind, LedgerBroken, MovedByHand, rollback_targets
from pytest_mlgates.promotion.book import Book, append
from pytest_mlgates.promotion.projector import project
from pytest_mlgates.promotion.reconcile import accept, reconcile

from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, promote, promotion, repair, roll_back

Promise = Callable[[str, object], None]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(champion="1")


@pytest.fixture
def book(log: MemoryLog, registry: MemoryRegistry) -> Book:
    """v1 was champion when the ledger was begun, v2 was promoted after it."""
    made = book_of(log, registry)
    promote(made, registry, "2")
    return made


def test_a_move_by_hand_is_reported_and_left_alone(
    book: Book, log: MemoryLog, registry: MemoryRegistry, promise: Promise
) -> None:
    registry.aliases[ALIAS] = "1"
    before = dict(log.stored)
    report = repair(log, registry)
    assert report.trouble == (
        "'champion' was moved by hand to v1; v2 is champion by entry 2 of the ledger. It was left as it is: record it "
        'with `mlgates reconcile` and on_hand_move = "adopt", or undo it with "revert"'
    )
    assert (report.champion, report.found, report.did) == ("2", "1", ())
    assert (registry.aliases[ALIAS], log.stored) == ("1", before)
    promise("alias moved by hand", "named at the next start, left alone")


def test_adopting_it_makes_it_part_of_the_history(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    registry.aliases[ALIAS] = "7"
    report = repair(log, registry, on_hand_move="adopt", reason="night shift")
    assert (report.champion, report.trouble) == ("7", "")
    assert report.did == (
        "v7 is recorded as champion (entry 3): 'champion' was moved by hand from v2 to v7: night shift",
    )
    assert repair(log, registry).did == ()
    assert rollback_targets(book.refresh()) == ("2", "1")


def test_undoing_it_is_written_down_too(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    registry.aliases[ALIAS] = "7"
    report = repair(log, registry, on_hand_move="revert")
    assert (registry.aliases[ALIAS], report.champion, report.trouble) == ("2", "2", "")
    last = book.refresh().rulings[-1].entry
    assert (last.kind, last.from_, last.to, last.actor) == (Kind.REPAIR, "7", "2", "next start")
    assert "'champion' was moved by hand from v2 to v7" in last.reason


def test_a_removed_alias_is_not_adopted_but_can_be_put_back(
    log: MemoryLog, registry: MemoryRegistry, book: Book
) -> None:
    del registry.aliases[ALIAS]
    assert "'champion' was removed by hand; v2 is champion by entry 2" in repair(log, registry).trouble
    assert "was removed by hand" in repair(log, registry, on_hand_move="adopt").trouble
    assert repair(log, registry, on_hand_move="revert").trouble == ""
    assert registry.aliases[ALIAS] == "2"


def test_an_alias_made_by_hand_where_there_was_no_champion(log: MemoryLog) -> None:
    registry = MemoryRegistry()
    book_of(log, registry)
    registry.aliases[ALIAS] = "3"
    assert (
        "was moved by hand to v3; the ledger knows of no champion. It was left as it is"
        in repair(log, registry).trouble
    )
    assert repair(log, registry, on_hand_move="revert").trouble != ""
    assert registry.aliases[ALIAS] == "3"
    assert repair(log, registry, on_hand_move="adopt").champion == "3"


def test_a_promotion_leaves_a_move_by_hand_alone(book: Book, registry: MemoryRegistry) -> None:
    """On call moves the alias between judging and acting; the entry stands, and the next start asks."""
    own = append(book, promotion(book.refresh(), "3"))
    registry.aliases[ALIAS] = "8"
    with pytest.raises(MovedByHand, match="was moved by hand to v8; v3 is champion by entry 3") as caught:
        project(book, registry, ALIAS, own)
    assert (caught.value.found, caught.value.expected, registry.aliases[ALIAS]) == ("8", "3", "8")
    report = repair(book.log, registry, on_hand_move="adopt")
    assert (report.champion, report.finished) == ("8", (3,))
    assert rollback_targets(book.refresh()) == ("2", "1"), "v3 never served"


def test_a_version_that_was_overtaken_before_it_served_is_no_way_back(book: Book, registry: MemoryRegistry) -> None:
    slow = Book(book.log)
    own = append(slow, promotion(slow.refresh(), "3"))
    promote(book, registry, "4")
    done = project(slow, registry, ALIAS, own)
    assert (done.serves, done.champion, registry.aliases[ALIAS]) == (False, "4", "4")
    state = book.refresh()
    third = state.at(3)
    assert third is not None
    assert (third.record.projected, bool(third.record.superseded)) == ("", True)
    assert rollback_targets(state) == ("2", "1")


def test_judged_before_and_promoted_after_somebody_else(book: Book, registry: MemoryRegistry) -> None:
    late = promotion(book.refresh(), "3")
    promote(book, registry, "4")
    with pytest.raises(ChampionMoved, match=r"^judged against v2, but v4 is champion now: run again$"):
        append(book, late)
    assert len(book.refresh().rulings) == 3, "what cannot count is not written"


def test_a_b_a_is_told_apart_from_nothing_happened(book: Book, registry: MemoryRegistry, promise: Promise) -> None:
    late = promotion(book.refresh(), "3")
    promote(book, registry, "4")
    roll_back(book, registry)
    said = r"judged against v2, but the champion changed and came back since \(entry 2 was the last change then, 4 is"
    with pytest.raises(ChampionMoved, match=said):
        append(book, late)
    assert registry.aliases[ALIAS] == "2"
    promise("A-B-A: the late entry", "does not count")


def test_the_loser_of_a_race_in_the_log_is_told_who_won(book: Book, registry: MemoryRegistry) -> None:
    """Both looked before either wrote."""

    class Rival(MemoryLog):
        begun = False

        def add(self, facts: object, run: str = "") -> int:
            if not self.begun:
                self.begun = True
                other = Book(self)
                promote(other, registry, "4")
            return super().add(facts, run)  # type: ignore[arg-type]

    rival = Rival()
    rival.there, rival.stored, rival.highest = True, book.log.stored, 2  # type: ignore[attr-defined]
    mine = Book(rival)
    with pytest.raises(ChampionMoved, match=r"^judged against v2, but v4 is champion now: run again$"):
        promote(mine, registry, "3")
    assert registry.aliases[ALIAS] == "4"
    assert [ruling.fate for ruling in mine.refresh().rulings] == ["counts", "counts", "counts", "stale"]


def test_clocks_moved_back_change_nothing(
    book: Book, registry: MemoryRegistry, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    from pytest_mlgates.ledger import entry

    monkeypatch.setattr(entry, "now", lambda: "1970-01-01T00:00:00+00:00")
    promote(book, registry, "3")
    monkeypatch.setattr(entry, "now", lambda: "1969-01-01T00:00:00+00:00")
    roll_back(book, registry)
    state = book.refresh()
    assert (state.champion, registry.aliases[ALIAS], state.rulings[-1].entry.time[:4]) == ("2", "2", "1969")
    assert repair(book.log, registry).did == ()
    promise("clock moved back", "order by number, nothing to repair")


def test_the_champion_was_deleted(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    registry.delete("2")
    assert repair(log, registry).trouble == (
        "'champion' means nothing: v2, champion by entry 2 of the ledger, was deleted from the registry. Roll back "
        "with `mlgates rollback`"
    )
    with pytest.raises(ActionFailed, match="v2 is champion by entry 2, but it was deleted from the registry"):
        repair(log, registry, on_hand_move="revert")
    assert roll_back(book, registry).champion == "1"
    assert registry.aliases[ALIAS] == "1"
    assert repair(log, registry).trouble == ""


def test_a_rollback_from_a_deleted_champion_needs_no_other_repair(book: Book, registry: MemoryRegistry) -> None:
    """MLflow took the alias away with the version: that is no move by hand once the rollback is written."""
    registry.delete("2")
    assert roll_back(book, registry).serves
    assert registry.aliases[ALIAS] == "1"


def test_what_served_before_its_writer_died_stays_a_way_back(
    book: Book, log: MemoryLog, registry: MemoryRegistry
) -> None:
    """v3's writer died after the move, v4's before it: v3 really served, and the repair says so."""
    append(book, promotion(book.refresh(), "3"))
    registry.aliases[ALIAS] = "3"
    append(book, promotion(book.refresh(), "4"))
    report = repair(log, registry)
    assert (report.champion, registry.aliases[ALIAS], report.finished) == ("4", "4", (3, 4, 5))
    assert report.did[0] == "'champion' already meant v3; entry 3 is noted as projected"
    assert rollback_targets(book.refresh()) == ("3", "2", "1")


def test_the_version_was_deleted_between_the_entry_and_the_move(book: Book, registry: MemoryRegistry) -> None:
    own = append(book, promotion(book.refresh(), "3"))
    registry.delete("3")
    with pytest.raises(ActionFailed, match=r"v3 is champion by entry 3, but it was deleted .* means v2: roll back"):
        project(book, registry, ALIAS, own)
    assert registry.aliases[ALIAS] == "2"
    assert roll_back(book, registry, "1").champion == "1"


def test_damage_stops_everything_until_somebody_accepts_it(
    book: Book, log: MemoryLog, registry: MemoryRegistry
) -> None:
    promote(book, registry, "3")
    log.stored[2]["mlgates.actor"] = "nobody"
    before = dict(registry.aliases)
    for act in (lambda: repair(log, registry), lambda: promote(Book(log), registry, "4")):
        with pytest.raises(LedgerBroken, match="entry 2 was altered: its facts no longer match its digest"):
            act()
    assert registry.aliases == before
    fresh = Book(log)
    with pytest.raises(UsageError, match="the reason is empty"):
        accept(fresh, registry, ALIAS, actor="ann", reason="", entries=(2,))
    with pytest.raises(UsageError, match="ledger entry 3 has no problem to accept; these have: 2"):
        accept(fresh, registry, ALIAS, actor="ann", reason="seen", entries=(3,))
    report = accept(fresh, registry, ALIAS, actor="ann", reason="typo fixed in the UI", entries=(2,))
    assert report.champion == "3"
    assert report.did == ("ann accepted entry 2 was altered: its facts no longer match its digest (entry 4)",)
    assert repair(log, registry).trouble == ""
    assert promote(Book(log), registry, "4").serves


def test_a_deleted_entry_stops_everything(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    promote(book, registry, "3")
    log.delete(2)
    with pytest.raises(LedgerBroken, match="entry 2 is missing: it was deleted"):
        Book(log).refresh()


def test_a_deleted_last_entry_shows_as_a_difference(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    log.delete(2)
    assert "was moved by hand to v2; v1 is champion by entry 1" in repair(log, registry).trouble
    with pytest.raises(ChampionMoved):
        append(book, Entry(Kind.PROMOTE, "me", from_="2", to="3", after=2))


def test_reconcile_on_a_settled_ledger_does_nothing(book: Book, log: MemoryLog, registry: MemoryRegistry) -> None:
    before = dict(log.stored)
    for wish in ("report", "adopt", "revert"):
        report = reconcile(book, registry, ALIAS, actor="x", on_hand_move=wish)  # type: ignore[arg-type]
        assert (report.champion, report.did, report.finished, report.trouble) == ("2", (), (), "")
    assert log.stored == before

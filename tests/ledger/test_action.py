"""A decision carried out: on the champion it was judged against, with the workload, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.decision import Action, Decision
from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import ActionFailed, ChampionMoved, CouldNotEvaluate, UsageError
from pytest_mlgates.ledger import Kind
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.action import Order, act, drilled, record
from pytest_mlgates.promotion.book import Book
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, promote

SETTINGS = Settings(model="m", golden="g.csv", label="y", task="binary", base=Path())


class Registry(MemoryRegistry):
    def __init__(self, **aliases: str) -> None:
        super().__init__(**aliases)
        self.tags: dict[str, dict[str, str]] = {}

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        self.tags[version.number] = dict(tags)


class Workload:
    """Serves what it is told to, but `broken`; `said` is what it was told, in order."""

    def __init__(self, *broken: str) -> None:
        self.broken, self.said = broken, list[str]()

    def announce(self, version: Version) -> None:
        self.said.append(f"announced {version}")

    def follow(self, version: Version) -> str:
        self.said.append(f"asked for {version}")
        if version.number in self.broken:
            raise ActionFailed(f"the workload does not follow to {version}")
        return f"the workload serves {version}"

    def done(self) -> None:
        self.said.append("done")


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def registry() -> Registry:
    return Registry(champion="1")


@pytest.fixture
def book(log: MemoryLog, registry: Registry) -> Book:
    """v1 was champion when the ledger was begun, v2 was promoted after it."""
    made = book_of(log, registry)
    promote(made, registry, "2")
    return made


def pinned(number: str) -> PinnedModel | None:
    return PinnedModel(Version("m", number), number, f"/files/{number}", f"digest of {number}") if number else None


def order(action: Action, champion: str, challenger: str = "", after: int = 2, **more: Any) -> Order:
    verdict = Verdict.PASS if action is Action.PROMOTE else Verdict.FAIL
    decision = Decision(action, verdict, ("because",))
    pins = Pins(champion=pinned(champion), challenger=pinned(challenger))
    return Order(decision, pins, SETTINGS, "ada", after, "evidence", **more)


def served(registry: Registry) -> str:
    return registry.aliases.get(ALIAS, "")


def kinds(log: MemoryLog, registry: Registry) -> list[Kind]:
    return [ruling.entry.kind for ruling in book_of(log, registry).state.rulings]


class TestPromotion:
    def test_the_champion_changed_and_came_back_while_the_gates_ran(
        self, book: Book, log: MemoryLog, registry: Registry
    ) -> None:
        """What was judged against is champion, but on other grounds than when the run began."""
        after = book.refresh().last
        promote(book, registry, "3")
        promote(book, registry, "2")
        with pytest.raises(ChampionMoved, match="judged against v2, but the champion changed and came back since"):
            act(order(Action.PROMOTE, "2", "5", after), Doors(registry, log, "here"))
        assert served(registry) == "2"

    def test_nor_when_the_ledger_was_begun_meanwhile(self, log: MemoryLog, registry: Registry) -> None:
        begun = book_of(log, registry)
        promote(begun, registry, "3")
        promote(begun, registry, "1")
        with pytest.raises(ChampionMoved, match="changed and came back since"):
            act(order(Action.PROMOTE, "1", "5", after=0), Doors(registry, log, "here"))
        assert served(registry) == "1"

    def test_a_workload_goes_along(self, book: Book, log: MemoryLog, registry: Registry) -> None:
        workload = Workload()
        done = act(order(Action.PROMOTE, "2", "5", workload=lambda: workload), Doors(registry, log, "here"))
        assert done.sentence == "m v5 is 'champion' now, replacing v2 (ledger entry 3); the workload serves v5"
        assert workload.said == ["announced v5", "asked for v5", "done"]

    def test_one_that_does_not_takes_the_alias_back(self, book: Book, log: MemoryLog, registry: Registry) -> None:
        workload = Workload("5")
        with pytest.raises(ActionFailed) as told:
            act(order(Action.PROMOTE, "2", "5", workload=lambda: workload), Doors(registry, log, "here"))
        assert str(told.value) == "the workload does not follow to v5; 'champion' is v2 again (entry 4)"
        assert served(registry) == "2"
        assert kinds(log, registry)[-2:] == [Kind.PROMOTE, Kind.ROLLBACK]

    def test_a_first_champion_stays_where_it_is(self, log: MemoryLog) -> None:
        nobody, workload = Registry(), Workload("5")
        with pytest.raises(ActionFailed, match="'champion' stays: there was no champion before"):
            act(order(Action.PROMOTE, "", "5", 0, workload=lambda: workload), Doors(nobody, log, "here"))
        assert served(nobody) == "5"

    def test_a_workload_that_somebody_else_has_leaves_all_as_it_is(
        self, book: Book, log: MemoryLog, registry: Registry
    ) -> None:
        class Taken(Workload):
            def announce(self, version: Version) -> None:
                raise ActionFailed("nothing was changed: it is in use by a drill")

        with pytest.raises(ActionFailed, match="in use by a drill"):
            act(order(Action.PROMOTE, "2", "5", workload=Taken), Doors(registry, log, "here"))
        assert (served(registry), kinds(log, registry)) == ("2", [Kind.GENESIS, Kind.PROMOTE])

    def test_one_that_was_overtaken_moves_no_workload(self, book: Book, log: MemoryLog) -> None:
        """Another promotion came between the entry and the move of the alias."""

        class Overtaken(Registry):
            def point(self, reference: str, version: Version) -> None:
                if version.number == "5":
                    promote(book, quick, "7")
                super().point(reference, version)

        slow, quick = Overtaken(champion="2"), Registry(champion="2")
        slow.aliases = quick.aliases
        workload = Workload()
        done = act(order(Action.PROMOTE, "2", "5", workload=lambda: workload), Doors(slow, log, "here"))
        assert done.sentence == "m v5 was promoted (ledger entry 3), but v7 has replaced it since"
        assert workload.said == ["announced v5"]
        assert served(slow) == "7"

    def test_what_was_waived_is_on_record(self, book: Book, log: MemoryLog, registry: Registry) -> None:
        act(order(Action.PROMOTE, "2", "5", waivers=("slices",)), Doors(registry, log, "here"))
        assert book.refresh().rulings[-1].entry.waivers == ("slices",)

    def test_without_a_challenger_nothing_is_promoted(self, book: Book, log: MemoryLog, registry: Registry) -> None:
        with pytest.raises(ActionFailed, match="there is no pinned challenger to promote"):
            act(order(Action.PROMOTE, "2"), Doors(registry, log, "here"))


class TestRollback:
    """v1, v2 and v3 served one after the other."""

    @pytest.fixture(autouse=True)
    def third(self, book: Book, registry: Registry) -> None:
        promote(book, registry, "3")

    def test_to_the_nearest_that_is_proven_to_work(self, log: MemoryLog, registry: Registry) -> None:
        tried = []

        def prove(version: Version, recorded: str) -> str:
            tried.append(version.number)
            if version.number == "2":
                raise CouldNotEvaluate("it does not load")
            return "digest of 1"

        done = act(order(Action.ROLLBACK, "3", after=3, prove=prove), Doors(registry, log, "here"))
        assert done.sentence == (
            "'champion' is v1 again, instead of v3 (entry 4); v2 cannot serve again: it does not load"
        )
        assert (tried, served(registry)) == (["2", "1"], "1")

    def test_past_one_that_was_deleted(self, log: MemoryLog, registry: Registry) -> None:
        registry.delete("2")
        done = act(order(Action.ROLLBACK, "3", after=3), Doors(registry, log, "here"))
        assert done.sentence.endswith("v2 cannot serve again: it is no longer in the registry")
        assert served(registry) == "1"

    @pytest.mark.parametrize("trouble", [CouldNotEvaluate, UsageError])
    def test_without_one_that_works_it_fails(
        self, log: MemoryLog, registry: Registry, trouble: type[Exception]
    ) -> None:
        def prove(version: Version, recorded: str) -> str:
            raise trouble("no")

        with pytest.raises(ActionFailed) as told:
            act(order(Action.ROLLBACK, "3", after=3, prove=prove), Doors(registry, log, "here"))
        assert str(told.value) == (
            "there is no former champion to go back to that works: v2 cannot serve again: no; v1 cannot serve again: no"
        )
        assert served(registry) == "3"

    def test_a_workload_goes_along(self, log: MemoryLog, registry: Registry) -> None:
        workload = Workload()
        done = act(order(Action.ROLLBACK, "3", after=3, workload=lambda: workload), Doors(registry, log, "here"))
        assert done.sentence == "'champion' is v2 again, instead of v3 (entry 4); the workload serves v2"
        assert workload.said == ["announced v2", "asked for v2", "done"]

    def test_a_workload_that_does_not_follow_is_asked_again_later(self, log: MemoryLog, registry: Registry) -> None:
        """The alias is back all the same: what serves is proven bad."""
        workload = Workload("2")
        with pytest.raises(ActionFailed, match="does not follow to v2"):
            act(order(Action.ROLLBACK, "3", after=3, workload=lambda: workload), Doors(registry, log, "here"))
        assert served(registry) == "2"
        assert workload.said == ["announced v2", "asked for v2"], "it is never done"

    def test_from_nobody(self, log: MemoryLog, registry: Registry) -> None:
        with pytest.raises(ActionFailed, match="there is no pinned champion to roll back from"):
            act(order(Action.ROLLBACK, ""), Doors(registry, log, "here"))


class TestWhatCannotBeRecorded:
    @pytest.fixture
    def broken(self, book: Book, log: MemoryLog, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Doors:
        def refused(*_: object) -> int:
            raise ActionFailed("403")

        monkeypatch.setattr(log, "add", refused)
        return Doors(registry, log, "here")

    def test_a_hold_stands(self, broken: Doors) -> None:
        done = act(order(Action.HOLD, "2", "5"), broken)
        assert done.sentence == "m v5 is held"
        assert done.trouble == "the reason could not be recorded: nothing was changed: 403"

    def test_a_judgement_that_would_spend_the_budget_is_an_incident(self, broken: Doors) -> None:
        with pytest.raises(ActionFailed, match="that m v5 was judged could not be recorded: nothing was changed: 403"):
            record(order(Action.HOLD, "2", "5"), broken)

    def test_so_is_a_drill(self, broken: Doors) -> None:
        with pytest.raises(ActionFailed, match="the drill could not be recorded: nothing was changed: 403"):
            drilled(order(Action.DRILLED, "2"), broken, Verdict.PASS, "staging", "it went well")

    def test_a_promotion_is_not_made(self, broken: Doors, registry: Registry) -> None:
        with pytest.raises(ActionFailed, match="nothing was changed: 403"):
            act(order(Action.PROMOTE, "2", "5"), broken)
        assert served(registry) == "2"


def test_a_drill_on_record(book: Book, log: MemoryLog, registry: Registry) -> None:
    done = drilled(order(Action.DRILLED, "2"), Doors(registry, log, "here"), Verdict.ERROR, "staging", "lost")
    assert done.sentence == "the drill is recorded as ERROR (ledger entry 3)"
    assert book.refresh().rulings[-1].entry.reason == "ERROR on staging: lost"
    assert served(registry) == "2"

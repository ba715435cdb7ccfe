"""The properties, one small object each: which rows are made up, what is asked, and what is wrong with the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.behaviour import strategies
from pytest_mlgates.behaviour.case import Case, Wrong, shown
from pytest_mlgates.behaviour.inputs import Inputs
from pytest_mlgates.behaviour.strategies import with_cell
from pytest_mlgates.ports import Rows, Said

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_mlgates.manifest import Switch

#: Rows of one made-up batch, at most.
BATCH = 6
_ANSWERED = "[said] = challenger.ask(rows)\nassert said.answered, said.refused or said.broke\n"


@dataclass(frozen=True, slots=True)
class Property:
    """`cases` makes strategies only when called; `asks` are small frames, and `wrong` finds fault with what was said
    of them, or gives None. `share` of the policy's examples are tried.
    """

    name: str
    column: str
    promise: str
    cases: Callable[[], SearchStrategy[Case]]
    asks: Callable[[Case], list[Rows]]
    wrong: Callable[[Case, Sequence[Said]], Wrong | None]
    share: float = 1.0

    @property
    def key(self) -> tuple[str, str]:
        return (self.name, self.column)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What any answer must be: within `low` and `high`, or one of `labels`; the same within `tolerance`, a share of
    the range or of the answer. `wide`: a row is answered by several values, a score a label, or by a label.
    """

    low: float | None
    high: float | None
    labels: tuple[Any, ...] = ()
    tolerance: float = 1e-6
    wide: bool = False

    def fault(self, value: Any) -> str:
        """What is wrong with one row's answer, or ""."""
        if isinstance(value, list) and not self.wide:
            return f"{len(value)} values for one row"
        if isinstance(value, list) and len(value) != len(self.labels):
            return f"{len(value)} values for {len(self.labels)} classes"
        if self.wide and not isinstance(value, list):
            return "" if str(value) in map(str, self.labels) else f"{value!r}, which is no label"
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                return f"{one!r}, which is no label"
            if not isinstance(one, (int, float)) or not math.isfinite(one):
                return f"{one}, which is no finite number"
            if (self.low is not None and one < self.low) or (self.high is not None and one > self.high):
                return f"{shown(one)}, outside {shown(self.low)} to {shown(self.high)}"
        return ""

    def same(self, first: Any, second: Any) -> bool:
        if isinstance(first, list) and isinstance(second, list):
            return len(first) == len(second) and all(map(self.same, first, second))
        if not all(isinstance(one, (int, float)) and math.isfinite(one) for one in (first, second)):
            return str(first) == str(second)
        return bool(abs(first - second) <= self.slack(first, second))

    def slack(self, first: float, second: float) -> float:
        span = self.high - self.low if self.low is not None and self.high is not None else 0.0
        return self.tolerance * max(span, abs(first), abs(second))

    def source(self) -> str:
        """The same as an assertion."""
        if not self.wide:
            each = f"{self.low!r} <= one <= {self.high!r}"
        else:
            scores = f"len(one) == {len(self.labels)} and all({self.low!r} <= each <= {self.high!r} for each in one)"
            each = f"({scores} if isinstance(one, list) else str(one) in {list(map(str, self.labels))!r})"
        return f"assert len(said.values) == len(rows) and all({each} for one in said.values), said.values"


@dataclass(frozen=True, slots=True)
class Space:
    """The rows that a model must answer: as promised, and for which it is not switched off."""

    inputs: Inputs
    switches: tuple[Switch, ...] = ()

    def rows(self) -> SearchStrategy[dict[str, Any]]:
        usual = strategies.rows(self.inputs)
        if not self.switches:
            return usual
        return usual.filter(lambda row: not any(switch.matches(row) for switch in self.switches))


def answers(space: Space, bounds: Bounds) -> Property:
    """Every row that the contract allows gets one finite value, within the range."""

    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        return _faulty(case.rows, said[0], bounds, _ANSWERED + bounds.source())

    promise = "Every row that the contract allows is answered by one value within the declared range"
    return Property("answers", "", promise, lambda: _batches(space), lambda case: [case.rows], wrong)


def same_again(space: Space, bounds: Bounds) -> Property:
    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        first, again = said
        asserts = "first, again = challenger.ask(rows, rows)\nassert first.values == again.values"
        if first.answered != again.answered:
            said_ = [shown(one.values[0]) if one.values else one.refused or one.broke or "nothing" for one in said]
            return Wrong(f"answered {said_[0]}, and asked again {said_[1]}", case, asserts)
        # Compared as text, in which NaN is NaN.
        if not first.answered or str(first.values) == str(again.values):
            return _broken(said, case, asserts)
        places = [p for p, (a, b) in enumerate(zip(first.values, again.values, strict=False)) if a != b]
        place = places[0] if places else 0
        sentence = f"answered {_at(first, place)}, and asked again {_at(again, place)}"
        return Wrong(sentence, case, asserts)

    promise = "The same rows get the same answers"
    return Property("same again", "", promise, lambda: _batches(space), lambda case: [case.rows, case.rows], wrong)


def alone_as_in_batch(space: Space, bounds: Bounds) -> Property:
    def asks(case: Case) -> list[Rows]:
        return [case.rows, *([row] for row in case.rows)]

    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        together, *alone = said
        if not together.answered:
            return _broken(said, case, asserts)
        for place, one in enumerate(alone):
            if not one.answered:
                sentence = f"row {place} is answered in a batch of {len(case.rows)}, and not alone: "
                return Wrong(sentence + (one.refused or one.broke), case, asserts)
            if len(one.values) != 1 or len(together.values) != len(case.rows):
                return None  # `answers` says so
            if not bounds.same(one.values[0], together.values[place]):
                in_batch, by_itself = shown(together.values[place]), shown(one.values[0])
                sentence = f"row {place} is answered {in_batch} in a batch of {len(case.rows)}, and {by_itself} alone"
                return Wrong(sentence, case, asserts)
        return None

    asserts = (
        "together, *alone = challenger.ask(rows, *([row] for row in rows))\n"
        "for place, one in enumerate(alone):\n"
        f"    assert abs(one.values[0] - together.values[place]) <= {bounds.tolerance!r}"
    )
    promise = "A row alone is answered as it is in a batch, whatever the order of the rows"
    return Property("alone as in a batch", "", promise, lambda: _batches(space, least=2), asks, wrong)


def any_column_order(space: Space, bounds: Bounds) -> Property:
    def asks(case: Case) -> list[Rows]:
        return [case.rows, [dict(reversed(list(row.items()))) for row in case.rows]]

    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        usual, turned = said
        if turned.broke:
            return Wrong(f"columns in another order: {turned.broke}", case, asserts)
        if not usual.answered or not turned.answered:
            return _broken(said, case, asserts)  # refused is fine
        if len(usual.values) != len(turned.values):
            said_ = f"{len(usual.values)} answers, and {len(turned.values)} with the columns in another order"
            return Wrong(said_, case, asserts)
        places = [p for p, (a, b) in enumerate(zip(usual.values, turned.values, strict=False)) if not bounds.same(a, b)]
        if not places:
            return None
        first, second = _at(usual, places[0]), _at(turned, places[0])
        return Wrong(f"answered {first}, and {second} with the columns in another order", case, asserts)

    asserts = (
        "usual, turned = challenger.ask(rows, [dict(reversed(row.items())) for row in rows])\n"
        "assert turned.refused or turned.values == usual.values"
    )
    promise = "The order of the columns does not matter, or is refused"
    return Property("column order", "", promise, lambda: _batches(space), asks, wrong)


def monotone(space: Space, column: str, direction: str, bounds: Bounds) -> Property:
    """More of `column` gives no less (up) or no more (down)."""
    sign = 1.0 if direction == "up" else -1.0

    def fault(low: Any, high: Any) -> bool:
        return bool(sign * (high - low) < -bounds.slack(low, high))

    def told(case: Case, place: int, low: Any, high: Any) -> str:
        ends = (case.rows[place][column], case.others[place][column])
        return (
            f"{column} from {shown(ends[0])} to {shown(ends[1])} takes the answer from {shown(low)} to {shown(high)}, "
            f"and {direction} is declared"
        )

    compare = "<=" if direction == "up" else ">="
    asserts = f"low, high = challenger.ask(rows, others)\nassert low.values {compare} high.values"
    promise = f"More {column} takes the answer {direction}, or leaves it"
    return _pairwise("monotone", space, column, promise, asserts, fault, told)


def invariant(space: Space, column: str, bounds: Bounds) -> Property:
    def told(case: Case, place: int, first: Any, second: Any) -> str:
        ends = (case.rows[place][column], case.others[place][column])
        said = f"moves the answer from {shown(first)} to {shown(second)}"
        return f"{column} from {shown(ends[0])} to {shown(ends[1])} {said}"

    asserts = "first, second = challenger.ask(rows, others)\nassert first.values == second.values"
    promise = f"Nothing moves when {column} alone is another"
    return _pairwise("invariant", space, column, promise, asserts, lambda a, b: not bounds.same(a, b), told)


def _pairwise(
    name: str,
    space: Space,
    column: str,
    promise: str,
    asserts: str,
    fault: Callable[[Any, Any], bool],
    told: Callable[[Case, int, Any, Any], str],
) -> Property:
    def cases() -> SearchStrategy[Case]:
        from hypothesis import strategies as st

        one = st.tuples(space.rows(), strategies.pairs(space.inputs[column]))
        found: SearchStrategy[Case] = st.lists(one, min_size=1, max_size=BATCH).map(_paired)
        return found

    def _paired(drawn: list[Any]) -> Case:
        ends = [(with_cell(row, column, two[0]), with_cell(row, column, two[1])) for row, two in drawn]
        return Case(tuple(low for low, _ in ends), tuple(high for _, high in ends))

    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        first, second = said
        if not first.answered or not second.answered:
            return _broken(said, case, asserts)
        for place, (low, high) in enumerate(zip(first.values, second.values, strict=False)):
            if fault(low, high):
                only = Case((case.rows[place],), (case.others[place],))
                return Wrong(told(case, place, low, high), only, asserts)
        return None

    return Property(name, column, promise, cases, lambda case: [case.rows, case.others], wrong)


def _batches(space: Space, least: int = 1) -> SearchStrategy[Case]:
    from hypothesis import strategies as st

    return st.lists(space.rows(), min_size=least, max_size=BATCH).map(lambda rows: Case(tuple(rows)))


def _broken(said: Sequence[Said], case: Case, asserts: str) -> Wrong | None:
    """What could not be compared since the model is gone; that rows are refused `answers` says."""
    broke = next((one.broke for one in said if one.broke), "")
    return Wrong(f"not answered: {broke}", case, asserts, broke=True) if broke else None


def _faulty(rows: Sequence[Any], said: Said, bounds: Bounds, asserts: str) -> Wrong | None:
    """What is wrong with an answer that must be one, for the first row at fault."""
    if not said.answered:
        return Wrong(f"not answered: {said.refused or said.broke}", Case(tuple(rows)), asserts, bool(said.broke))
    if len(said.values) != len(rows):
        return Wrong(f"{len(said.values)} answers for {len(rows)} rows", Case(tuple(rows)), asserts)
    for row, value in zip(rows, said.values, strict=True):
        if fault := bounds.fault(value):
            return Wrong(f"answered {fault}", Case((row,)), asserts)
    return None


def _at(said: Said, place: int) -> str:
    return shown(said.values[place]) if place < len(said.values) else "nothing"

"""Rows that a model must not judge: odd cells, and conditions under which it is switched off.

It refuses them, or answers the declared safe value; a column may declare that a kind is answered, with the reason.
Each row is asked alone, for one that is refused would take a batch along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.behaviour import strategies
from pytest_mlgates.behaviour.case import Case, Wrong, shown
from pytest_mlgates.behaviour.inputs import Inputs
from pytest_mlgates.behaviour.properties import BATCH, Bounds, Property
from pytest_mlgates.ports import Rows, Said

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_mlgates.manifest import Manifest, Switch

#: Kind -> (what it is called, share of the examples it needs: a null is a null).
KINDS = {
    "unknown": ("unknown category", 1.0),
    "null": ("null", 0.3),
    "wrong_type": ("wrong type", 0.5),
    "missing": ("missing column", 0.2),
    "extreme": ("extreme value", 0.5),
}


def hostile(inputs: Inputs, manifest: Manifest | None, bounds: Bounds, *, infinite: bool) -> list[Property]:
    """One property a kind and column, where the column has such cells: a null that the contract promises is none."""
    found = []
    for kind, (name, share) in KINDS.items():
        for column, known in inputs.items():
            if kind == "null" and known.nulls:
                continue
            allowed = manifest is not None and getattr(manifest.rule(column), kind) == "allowed"
            cells = None if kind == "missing" else _cells(kind, known, infinite)
            if kind == "missing" or cells is not None:
                found.append(_odd(name, column, share, inputs, cells, allowed, manifest, bounds))
    return found


def switched_off(inputs: Inputs, place: int, switch: Switch, bounds: Bounds) -> Property:
    """Where the condition holds, the model refuses or gives exactly the declared answer."""

    def cases() -> SearchStrategy[Case]:
        cells = {column: strategies.matching(clause, inputs[column]) for column, clause in switch.when.items()}
        return _each(strategies.rows(inputs, **cells))

    when = " and ".join(f"{column} {_words(clause)}" for column, clause in switch.when.items())
    promise = f"When {when}, it refuses" + ("" if switch.answer is None else f" or answers {shown(switch.answer)}")
    wrong = _refused(when, switch.answer, (switch,), bounds, allowed=False)
    return Property("kill switch", f"{place + 1}", promise, cases, _alone, wrong)


def _cells(kind: str, known: Any, infinite: bool) -> SearchStrategy[Any] | None:
    from hypothesis import strategies as st

    if kind == "unknown":
        return strategies.unknown(known)
    if kind == "wrong_type":
        return strategies.wrong_type(known)
    return st.none() if kind == "null" else strategies.extreme(known, infinite=infinite)


def _odd(
    name: str,
    column: str,
    share: float,
    inputs: Inputs,
    cells: SearchStrategy[Any] | None,
    allowed: bool,
    manifest: Manifest | None,
    bounds: Bounds,
) -> Property:
    safe = manifest.safe_value if manifest else None
    switches = manifest.kill_switch if manifest else ()

    def cases() -> SearchStrategy[Case]:
        if cells is None:
            return _each(strategies.rows(inputs).map(lambda row: {k: v for k, v in row.items() if k != column}))
        return _each(strategies.rows(inputs, **{column: cells}))

    what = f"{column} is missing" if cells is None else f"{column} = {{}}"
    wrong = _refused(what, safe, switches, bounds, allowed=allowed, column=column)
    must = "refused or answered within the range" if allowed else "refused"
    or_safe = "" if safe is None or allowed else f", or answered {safe:g}"
    promise = f"{column} with {_article(name)} is {must}{or_safe}"
    return Property(name, column, promise, cases, _alone, wrong, share)


def _refused(
    what: str, answer: float | None, switches: Sequence[Switch], bounds: Bounds, *, allowed: bool, column: str = ""
) -> Callable[[Case, Sequence[Said]], Wrong | None]:
    if allowed:
        asserts = f"[said] = challenger.ask(rows)\nif not said.refused:\n    {bounds.source()}"
    else:
        exactly = "" if answer is None else f" or said.values == [{answer!r}]"
        asserts = f"[said] = challenger.ask(rows)\nassert said.refused{exactly}, said.values or said.broke"

    def wrong(case: Case, said: Sequence[Said]) -> Wrong | None:
        for row, one in zip(case.rows, said, strict=True):
            # A row may be odd and switched off by another condition too, whose answer is then right.
            right = [answer, *(switch.answer for switch in switches if switch.matches(row))]
            if fault := _fault(one, right, bounds, allowed):
                said_of = what.format(shown(row.get(column)))
                return Wrong(f"{said_of} {fault}", Case((row,)), asserts, bool(one.broke))
        return None

    return wrong


def _fault(said: Said, right: Sequence[float | None], bounds: Bounds, allowed: bool) -> str:
    if said.refused:
        return ""
    if said.broke:
        return f"breaks it: {said.broke}"
    if len(said.values) != 1:
        return f"gets {len(said.values)} answers for one row"
    value = said.values[0]
    if allowed:
        fault = bounds.fault(value)
        return f"is answered {fault}" if fault else ""
    safe = list(dict.fromkeys(one for one in right if one is not None))
    if value in safe:
        return ""
    return " or ".join([f"is answered {shown(value)}, not refused", *map(shown, safe)])


def _each(row: SearchStrategy[Mapping[str, Any]]) -> SearchStrategy[Case]:
    from hypothesis import strategies as st

    return st.lists(row, min_size=1, max_size=BATCH).map(lambda rows: Case(tuple(rows)))


def _alone(case: Case) -> list[Rows]:
    return [[row] for row in case.rows]


def _words(clause: Any) -> str:
    if clause.missing:
        return "is missing"
    if clause.one_of is not None:
        return f"is {' or '.join(map(shown, clause.one_of))}"
    return f"is below {clause.below:g}" if clause.below is not None else f"is above {clause.above:g}"


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "ue" else "no column at all" if name == "missing column" else f"a {name}"

"""What the model keeps on rows that nobody has seen: each property searched for a counter-example, and said honestly.

A property without a counter-example is not proven; the evidence says how many rows were tried.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates import contract as contracts
from pytest_mlgates.baseline.document import Baseline
from pytest_mlgates.behaviour import hostile, kept, properties, search
from pytest_mlgates.behaviour.case import CounterExample
from pytest_mlgates.behaviour.inputs import Inputs, inputs_of
from pytest_mlgates.behaviour.properties import Bounds, Property, Space
from pytest_mlgates.behaviour.search import Ask, Found
from pytest_mlgates.behaviour.strategies import hypothesis
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import Manifest
from pytest_mlgates.measure.golden.columns import frozen
from pytest_mlgates.measure.plain_cells import plain_cells
from pytest_mlgates.policy import Behaviour
from pytest_mlgates.settings import Settings
from pytest_mlgates.wording import YES_NO

#: Golden rows that are asked first, for a model that answers none refuses everything; and rows that examples are from.
_FIRST, _LOOKED_AT = 5, 500
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Answering:
    """Who is asked: the model itself or its endpoint. `infinite`: whether infinity can be sent."""

    name: str
    ask: Ask
    infinite: bool = True


def behaviours(
    golden: GoldenSet,
    answering: Sequence[Answering],
    manifest: Manifest | None,
    baseline: Baseline | None,
    policy: Behaviour,
    settings: Settings,
    say: Callable[[str], None],
) -> list[Evidence]:
    """A figure a property, 1 where no counter-example was found; those that are found are kept for next time.

    Raises CouldNotEvaluate when Hypothesis is missing, a declared column does not exist, or golden rows are refused.
    """
    library = hypothesis()
    file = settings.base / policy.counterexamples
    inputs, promised = _inputs(golden, baseline)
    bounds = _bounds(golden, manifest, policy, settings)
    old, remark = kept.load(file)
    deadline = time.monotonic() + policy.seconds
    evidence: list[Evidence] = []
    counters: list[CounterExample] = []
    with _storage(library, settings.base / ".mlgates" / "hypothesis"):
        for place, one in enumerate(answering):
            _check_golden(one, golden)
            listed = _properties(inputs, manifest, bounds, settings, infinite=one.infinite)
            # Of the time that is left, each who is asked gets an equal part.
            until = time.monotonic() + (deadline - time.monotonic()) / (len(answering) - place)
            found = _tried(listed, one, old, policy, until, say)
            details = {"inputs": promised, "remark": remark, "seed": policy.seed}
            evidence += [_judged(name, part, one.name, policy, details) for name, part in _by_name(found)]
            counters += [one.counter for one in found if one.counter is not None]
    if counters:
        with contextlib.suppress(OSError):  # a file that cannot be written is no reason to hold anything
            kept.store(file, old, counters)
    return evidence


def _inputs(golden: GoldenSet, baseline: Baseline | None) -> tuple[Inputs, str]:
    """What the rows are made of, and from where: without a contract the golden set's own ranges are taken."""
    place = contracts.place_of(golden.path)
    with_contract = place.is_file()
    contract = contracts.load(golden.path) if with_contract else frozen(golden.X, golden.classes, golden.version)
    rows = plain_cells(golden.X.head(_LOOKED_AT))
    said = place.name if with_contract else "the golden set's own ranges (no contract is frozen)"
    return inputs_of(contract, rows, baseline), said + (" and the baseline" if baseline else "")


def _bounds(golden: GoldenSet, manifest: Manifest | None, policy: Behaviour, settings: Settings) -> Bounds:
    if manifest is None and settings.task == "regression":
        raise CouldNotEvaluate(
            f"the range of a regression's answers must be declared: write output: {{low: ..., high: ...}} in "
            f"{settings.manifest.file} (`mlgates manifest` drafts it)"
        )
    low, high = (manifest.output.low, manifest.output.high) if manifest else (0.0, 1.0)
    return Bounds(low, high, golden.classes, policy.tolerance, wide=settings.task == "multiclass")


def _properties(
    inputs: Inputs, manifest: Manifest | None, bounds: Bounds, settings: Settings, *, infinite: bool
) -> list[Property]:
    switches = manifest.kill_switch if manifest else ()
    space = Space(inputs, switches)
    found = [
        properties.answers(space, bounds),
        properties.same_again(space, bounds),
        properties.alone_as_in_batch(space, bounds),
        properties.any_column_order(space, bounds),
    ]
    if manifest is not None:
        manifest.check_columns(inputs, settings.manifest.file)
        if manifest.monotone and settings.task == "multiclass":
            raise CouldNotEvaluate(
                f"monotone in {settings.manifest.file} is not supported for multiclass models: a direction is of one "
                "score, and these give one a class; take it out"
            )
        for column, direction in manifest.monotone.items():
            if not inputs[column].number:
                raise CouldNotEvaluate(f"{column!r} is declared monotone, and it holds no numbers")
            found.append(properties.monotone(space, column, direction, bounds))
        found += [properties.invariant(space, column, bounds) for column in manifest.invariant]
        found += [hostile.switched_off(inputs, place, one, bounds) for place, one in enumerate(switches)]
    return found + hostile.hostile(inputs, manifest, bounds, infinite=infinite)


def _check_golden(one: Answering, golden: GoldenSet) -> None:
    """What follows says nothing of a model that refuses all."""
    [said] = one.ask([plain_cells(golden.X.head(_FIRST))])
    if not said.answered:
        raise CouldNotEvaluate(f"{one.name} does not answer golden rows: {said.refused or said.broke}")


def _tried(
    listed: Sequence[Property],
    one: Answering,
    old: kept.Kept,
    policy: Behaviour,
    until: float,
    say: Callable[[str], None],
) -> list[Found]:
    """The first counter-example of a name is made small, which takes time; of further columns it is enough to know."""
    found: list[Found] = []
    broken: set[str] = set()
    for place, prop in enumerate(listed):
        say(f"{one.name}: {prop.name} {prop.column} ({place + 1} of {len(listed)})")
        shrink = prop.name not in broken
        cases = old.get(prop.key, [])
        found.append(
            search.tried(
                prop,
                one.ask,
                examples=policy.examples,
                seed=policy.seed,
                deadline=until,
                shrink=shrink,
                kept=cases,
            )
        )
        if found[-1].counter is not None:
            broken.add(prop.name)
    return found


def _by_name(found: Sequence[Found]) -> Iterator[tuple[str, list[Found]]]:
    names = dict.fromkeys(one.tested.name for one in found)
    yield from ((name, [one for one in found if one.tested.name == name]) for name in names)


def _judged(name: str, found: Sequence[Found], who: str, policy: Behaviour, details: Mapping[str, Any]) -> Evidence:
    """One figure for all columns of a property; every column that breaks it is named."""
    rows = sum(one.rows for one in found)
    counters = [one.counter for one in found if one.counter is not None]
    columns = [one.tested.column for one in found if one.tested.column]
    untried = [one.tested.column or name for one in found if one.untried]
    details = {**details, "asked": who, "rows": rows, "cases": sum(one.cases for one in found), "columns": columns}
    if counters:
        first = counters[0]
        others = [one.column for one in counters[1:]]
        also = f"; also broken by {_listed(others)}" if others else ""
        again = " (found before, and still so)" if first.replayed else ""
        reason = f"{first.name}: {first.wrong.sentence}{again}{also}"
        told = [one.to_plain() for one in counters]
        return _evidence(name, 0.0, rows, reason, {**details, "test": first.as_test(), "counterexamples": told})
    if untried:
        why = f"nothing was tried of {_listed(untried)}: no such row could be made, or {policy.seconds:g} s were over"
        return Evidence(f"{name} kept", None, rows, cannot_say=why, details=details)
    of = f" and {len(columns)} columns" if len(columns) > 1 else ""
    return _evidence(name, 1.0, rows, f"no counter-example in {rows} rows{of}", details)


def _evidence(name: str, value: float, rows: int, reason: str, details: Mapping[str, Any]) -> Evidence:
    return Evidence(f"{name} kept", value, rows, unit=YES_NO, details={**details, "reason": reason})


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


@contextlib.contextmanager
def _storage(library: Any, folder: Path) -> Iterator[None]:
    """Hypothesis keeps notes of its own: beside ours, and where the user's tests have theirs again afterwards."""
    from hypothesis import configuration

    theirs = configuration.storage_directory(intent_to_write=False).home_directory
    configuration.set_hypothesis_home_dir(folder)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(theirs)

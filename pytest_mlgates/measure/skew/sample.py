"""The live sample against what the model was taught on, feature by feature: what moved, how far, and whether by drift
or by a broken pipeline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pytest_mlgates.baseline.describe import described
from pytest_mlgates.baseline.document import Baseline, Column
from pytest_mlgates.baseline.make import side_by_side
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine import port
from pytest_mlgates.engine.port import ColumnType, Table
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.skew.column import Held, Window, numbers, words
from pytest_mlgates.measure.skew.feature import ENOUGH, Compared, broken, evidence_of, figures
from pytest_mlgates.measure.skew.troubles import retyped
from pytest_mlgates.measure.skew.vector import vectors
from pytest_mlgates.policy import Skew
from pytest_mlgates.validation import did_you_mean
from pytest_mlgates.wording import YES_NO

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Ints
    from pytest_mlgates.stats.histogram import Tally
    from pytest_mlgates.stats.ks import Gap


def skew(reference: Reference, sample: Table, policy: Skew, reserved: Collection[str] = ()) -> list[Evidence]:
    """One figure for the feature that moved most, with all others in its details; before it, one for each feature that
    is missing, broken, beyond a limit or worth watching.

    `reserved` are columns that the model does not receive. Raises CouldNotEvaluate when there is nothing to compare.
    """
    types = reference.types()
    features = [name for name in types if name not in reserved and name not in policy.ignore]
    _known(policy, types, reference.name)
    if not features:
        raise CouldNotEvaluate(f"{reference.name} has no features to compare; [tool.mlgates.skew] ignore leaves none")
    if sample.rows == 0:
        raise CouldNotEvaluate(f"the live sample {sample.name} has no rows, so nothing can be compared with training")
    there = sample.types()

    def one(name: str) -> Compared:
        return compared(name, reference, sample, types[name], there.get(name), policy)

    found = side_by_side(one, features)
    judged = _judged(found, reference.baseline, policy)
    # Without a column, or with one of another kind, no row can be scored at all, however little it weighs.
    of_judged = [e for c in found for e in c.evidence if c.name in judged or e.unit == YES_NO]
    flagged = [_remarked(e, policy) for e in of_judged if _stands_out(e, policy)]
    return [*flagged, _most(found, judged, reference, sample, policy, reserved)]


def compared(
    name: str, reference: Reference, sample: Table, was: ColumnType, now: ColumnType | None, policy: Skew
) -> Compared:
    """One feature of both sides."""
    if now is None:
        return broken(name, sample, [f"{name!r} is missing in {sample.name}"])
    why = retyped(name, was.kind, now.kind, was.zone, now.zone)
    if why:
        return broken(name, sample, [why])
    with ExitStack() as stack:
        column = stack.enter_context(sample.column(name))
        pair: Window | None = None
        if reference.table is not None:
            window = stack.enter_context(reference.table.column(name))
            # Counts over one grid need one engine's arithmetic on both sides.
            shared = type(reference.table) is type(sample)
            base, pair = _both(window, column if shared else None, was, reference.rows, name, policy)
        else:
            assert reference.baseline is not None
            base = reference.baseline.columns[name]
        if base.vector is not None:
            return Compared(name, vectors(name, base, column, policy))
        if base.left_out:
            nulls = column.nulls()
            held = Held([base.present, base.nulls], [sample.rows - nulls, nulls], sample.rows, nulls)
            return Compared(name, evidence_of(name, base, held, policy, judge_index=False), left_out=base.left_out)
        held = numbers(base, column, pair) if base.numbers is not None else words(base, column, now.kind)
    return Compared(name, evidence_of(name, base, held, policy), figures(base, held))


def _both(
    window: port.Column, column: port.Column | None, was: ColumnType, rows: int, name: str, policy: Skew
) -> tuple[Column, Window | None]:
    """The reference described, and of numbers both sides on one grid, if the sample's `column` can be counted on it."""
    gaps: list[Gap] = []

    def hiding(tally: Tally) -> Ints:
        """The sample is counted before the reference is looked at again, so that one more look serves both."""
        from pytest_mlgates.stats.ks import gap

        assert column is not None
        gaps.append(gap(tally, column.numbers(tally.grid)))
        return gaps[0].hiding_places()

    found = described(
        window,
        was,
        rows,
        encoder=policy.encoders.get(name, ""),
        percentiles=column is None,
        identifiers=name not in policy.features,
        beside=hiding if column is not None else None,
    )
    if not gaps or found.known is None:
        return found.column, None
    return found.column, Window(gaps[0], found.known)


def _judged(found: list[Compared], baseline: Baseline | None, policy: Skew) -> set[str]:
    """All features, or the most important ones where the baseline knows which."""
    weight = dict(baseline.importances) if baseline else {}
    if not weight:
        return {one.name for one in found}
    ranked = sorted((one.name for one in found), key=lambda name: -abs(weight.get(name, 0.0)))
    return {*ranked[: policy.top], *policy.features}


def _stands_out(evidence: Evidence, policy: Skew) -> bool:
    """Beyond a limit or not proven within it, or worth watching."""
    if evidence.cannot_say or evidence.details.get("sudden") or evidence.interval is None:
        return True
    limit = policy.cosine if evidence.measure == "cosine distance" else policy.psi
    return evidence.interval.high > limit or (evidence.value or 0.0) > min(limit, policy.watch)


def _most(
    found: list[Compared],
    judged: set[str],
    reference: Reference,
    sample: Table,
    policy: Skew,
    reserved: Collection[str],
) -> Evidence:
    indices = [e for c in found if c.name in judged and not c.left_out for e in c.evidence if e.measure == "psi"]
    compared_ = [c for c in found if not c.left_out and c.name in judged]
    out = {c.name: c.left_out for c in found if c.left_out}
    unjudged = [c for c in found if c.name not in judged and not c.left_out]
    extra = [name for name in sample.types() if name not in reference.types() and name not in reserved]
    details = {
        "features": {c.name: {**c.figures, **_psi(c)} for c in found},
        "left_out": out,
        "not_in_baseline": extra,
        "remark": _remark(len(compared_), out, unjudged, extra, reference, policy),
    }
    if not indices:
        why = f"no feature of {sample.name} could be compared with {reference.name}"
        return Evidence("largest psi", None, sample.rows, cannot_say=why, details=details)
    most = max(indices, key=lambda e: e.value or 0.0)
    return dataclasses.replace(most, measure="largest psi", details=details)


def _psi(one: Compared) -> dict[str, Any]:
    return {e.measure: e.value for e in one.evidence if e.value is not None}


def _remark(
    compared_: int,
    out: Mapping[str, str],
    unjudged: list[Compared],
    extra: list[str],
    reference: Reference,
    policy: Skew,
) -> str:
    """What was compared and what was not, in words."""
    parts = [f"{compared_} features against {reference.name} ({reference.rows:,} rows)"]
    for why in dict.fromkeys(out.values()):
        names = [name for name, reason in out.items() if reason == why]
        parts.append(f"left out: {_few(names)} ({why})")
    if unjudged:
        moved = [c.name for c in unjudged if any(_stands_out(e, policy) for e in c.evidence)]
        said = f", of which {_few(moved)} moved" if moved else ""
        parts.append(f"{len(unjudged)} below the top {policy.top} by importance are reported only{said}")
    if extra:
        parts.append(f"not in the baseline: {_few(extra)}")
    return "; ".join(parts)


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _remarked(evidence: Evidence, policy: Skew) -> Evidence:
    i = evidence.interval
    if i is None or evidence.n >= ENOUGH or not i.low <= policy.psi < i.high:
        return evidence
    few = f"{evidence.n:,} rows on the smaller side; {ENOUGH:,} are needed"
    return dataclasses.replace(evidence, details={**evidence.details, "remark": few})


def _known(policy: Skew, types: Mapping[str, ColumnType], name: str) -> None:
    for key, given in (("features", policy.features), ("encoders", policy.encoders)):
        for column in given:
            if column not in types:
                raise UsageError(
                    f"[tool.mlgates.skew] {key} names {column!r}, which {name} lacks: {did_you_mean(column, types)}"
                )

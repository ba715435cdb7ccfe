"""One family of slices: which are large enough to test, and which are proven harmed.

A slice is harmed when its gain is beyond the margin and a one-sided paired t test of "no harm" still rejects
after Holm's (1979) correction over all tested slices. Asking for a proof of harm beyond the margin itself would
be blind at slice sizes; asking for the point alone raises an alarm on nearly every release.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.measure.quality import FEWEST
from pytest_mlgates.measure.slices.rows import Slice
from pytest_mlgates.policy import Slices
from pytest_mlgates.wording import YES_NO, figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlgates.stats.metrics import Metric
    from pytest_mlgates.stats.paired import Difference

_SHOWN_NAMES = 5
_NO_SLICES = (
    "there are no slices, and the rows are too few to search for any: name columns, bins or predicates in "
    "[tool.mlgates.slices], or leave the gate out"
)
#: What the whole family's evidence measures.
UNHARMED = "unharmed"


@dataclass(frozen=True, slots=True)
class Scored:
    """What both models gave for the golden rows: `y` (n,), scores (n,) or (n, classes), `weight`, `groups` (n,)."""

    y: NDArray[Any]
    champion: NDArray[Any]
    challenger: NDArray[Any]
    weight: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    thresholds: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Family:
    """`summary` (1: no slice harmed) with every slice in its details; one evidence a harmed slice, whose interval is
    corrected for the family; one a required slice that is too small to say.
    """

    summary: Evidence
    harmed: tuple[Evidence, ...] = ()
    untold: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tested:
    slice: Slice
    difference: Difference
    rarer: int
    p: float
    adjusted: float = 1.0
    harmed: bool = False


def family(metric: Metric, scored: Scored, slices: Sequence[Slice], policy: Slices) -> Family:
    """Test every slice that is large enough and judge them together."""
    tested: list[_Tested] = []
    untested: dict[str, str] = {}
    for part in slices:
        found = _compared(metric, scored, part, policy)
        if isinstance(found, str):
            untested[part.name] = found
        else:
            tested.append(found)
    tested = _corrected(metric, tested, policy)
    untold = [
        Evidence(f"{metric.name} gain", None, where=name, cannot_say=f"a required slice, but {untested[name]}")
        for name in policy.required
        if name in untested
    ]
    harmed = [_harm(metric, found, len(tested), policy) for found in tested if found.harmed]
    return Family(_summary(metric, tested, untested, len(scored.y), policy), tuple(harmed), tuple(untold))


def nothing_found(metric: Metric, n: int) -> Evidence:
    """With nothing declared: the search was made, and the challenger does worse on no part that can be tested."""
    reason = "no slice is declared, and the search found no part of the rows where the challenger does worse"
    details = {"metric": metric.name, "slices": [], "untestable": {}, "reason": reason}
    return Evidence(UNHARMED, 1.0, n, unit=YES_NO, where="none found", details=details)


def _compared(metric: Metric, scored: Scored, part: Slice, policy: Slices) -> _Tested | str:
    """The slice's paired difference with its p-value of "no harm", or why it cannot be tested."""
    from pytest_mlgates.stats.paired import paired_difference
    from pytest_mlgates.stats.special import t_cdf

    rows = part.rows
    y = scored.y[rows]
    rarer = _rarer(metric, scored.y, y)
    if rarer < FEWEST:
        return f"it has {rarer} rows{'' if metric.task == 'regression' else ' in the rarer class'}, fewer than {FEWEST}"
    try:
        d = paired_difference(
            metric,
            y,
            scored.champion[rows],
            scored.challenger[rows],
            weight=None if scored.weight is None else scored.weight[rows],
            groups=None if scored.groups is None else scored.groups[rows],
            threshold_champion=scored.thresholds[0],
            threshold_challenger=scored.thresholds[1],
            level=1 - 2 * policy.alpha,
            seed=policy.seed,
        )
    except ValueError as problem:
        return str(problem)
    p = t_cdf(d.gain / d.se, d.df) if d.se > 0 else float(d.gain >= 0)
    return _Tested(part, d, rarer, p)


def _rarer(metric: Metric, all_y: NDArray[Any], y: NDArray[Any]) -> int:
    import numpy as np

    if metric.task == "regression":
        return len(y)
    return int(min(np.count_nonzero(y == label) for label in np.unique(all_y)))


def _corrected(metric: Metric, tested: list[_Tested], policy: Slices) -> list[_Tested]:
    """With Holm's p-values, worst slice first."""
    from pytest_mlgates.stats.multiple import holm

    if not tested:
        return []
    adjusted = holm([found.p for found in tested]).tolist()
    made = []
    for found, p in zip(tested, adjusted, strict=True):
        d = found.difference
        margin = policy.margin * (abs(d.champion) if metric.margin_unit == "relative" else 1.0)
        harmed = p <= policy.alpha and d.gain < -margin
        made.append(dataclasses.replace(found, adjusted=p, harmed=harmed))
    return sorted(made, key=lambda found: (not found.harmed, found.difference.gain))


def _harm(metric: Metric, found: _Tested, tests: int, policy: Slices) -> Evidence:
    """The harmed slice with the interval whose upper end Holm's step proves to be below 0."""
    from pytest_mlgates.stats.special import t_quantile

    d = found.difference
    step = min(tests, found.adjusted / found.p) if found.p > 0 else tests
    tail = policy.alpha / max(step, 1.0)
    half = t_quantile(1 - tail, d.df) * d.se if d.se > 0 else 0.0
    interval = Interval(d.gain - half, d.gain + half, 1 - 2 * tail, f"{d.method}, Holm over {tests} slices")
    details = {"champion": d.champion, "challenger": d.challenger, "p": found.p, "holm": found.adjusted}
    return Evidence(f"{metric.name} gain", d.gain, d.n, interval, where=found.slice.name, details=details)


def _summary(metric: Metric, tested: list[_Tested], untested: dict[str, str], n: int, policy: Slices) -> Evidence:
    details = {"metric": metric.name, "slices": [_pictured(found) for found in tested], "untestable": untested}
    small = f"; untestable: {_listed(untested)}" if untested else ""
    if not tested:
        why = f"no slice can be tested{small}" if untested else _NO_SLICES
        return Evidence(UNHARMED, None, n, cannot_say=why, details=details)
    worst = tested[0]
    said = f"{worst.slice.name} {worst.difference.gain:+.4f}"
    harmed = [found.slice.name for found in tested if found.harmed]
    if harmed:
        reason = f"{len(harmed)} of {len(tested)} slices harmed: {_listed(harmed)}; the worst is {said} {metric.name}"
    else:
        reason = f"none of {len(tested)} slices is proven harmed beyond {figure(policy.margin)}; the worst is {said}"
    details["reason"] = reason + small
    where = f"worst: {said}"
    return Evidence(UNHARMED, float(not harmed), n, unit=YES_NO, where=where, details=details)


def _pictured(found: _Tested) -> dict[str, Any]:
    d = found.difference
    return {
        "name": found.slice.name,
        "origin": found.slice.origin,
        "n": d.n,
        "rarer": found.rarer,
        "champion": d.champion,
        "challenger": d.challenger,
        "gain": d.gain,
        "low": d.low,
        "high": d.high,
        "p": found.p,
        "holm": found.adjusted,
        "harmed": found.harmed,
        "resolvable_margin": d.resolvable,
    }


def _listed(names: Sequence[str] | dict[str, str]) -> str:
    first = list(names)[:_SHOWN_NAMES]
    rest = len(names) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest else "")

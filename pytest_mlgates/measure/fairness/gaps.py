"""How far the groups lie apart: lowest over highest rate, demographic parity, equalized odds, all with intervals.

The figures are fairlearn's by definition, made from each group's four counts instead of by MetricFrame, which takes
seconds where the counts take milliseconds; tests hold the two together to 1e-12.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_mlgates.evidence import Evidence, Interval

if TYPE_CHECKING:
    from pytest_mlgates.stats.group_counts import GroupRates
    from pytest_mlgates.stats.group_gaps import Gap

RATIO, PARITY, ODDS = "lowest/highest selection rate", "demographic parity difference", "equalized odds difference"
_METHOD = "{} of Wilson limits over all pairs of groups, Bonferroni for the side on which they differ"


def gap_evidence(
    family: str, names: Sequence[str], rates: GroupRates, champion: GroupRates | None, n: int, alpha: float
) -> list[Evidence]:
    """RATIO, PARITY and ODDS of one grouping with groups `names`; one that cannot be had says why."""
    mine = _gaps(rates, alpha)
    theirs = _gaps(champion, alpha) if champion else (None,) * 3
    made = []
    for measure, gap, beside in zip((RATIO, PARITY, ODDS), mine, theirs, strict=True):
        made.append(_evidence(measure, family, names, gap, beside, n, alpha))
    made[2] = _known(made[2], names, rates)
    return made


def _gaps(rates: GroupRates, alpha: float) -> tuple[Gap | None, ...]:
    from pytest_mlgates.stats.group_counts import FPR, SELECTION, TPR
    from pytest_mlgates.stats.group_gaps import largest_gap, lowest_over_highest

    selection, tpr, fpr = ((rates.value[:, place], rates.effective[:, place]) for place in (SELECTION, TPR, FPR))
    return lowest_over_highest(*selection, alpha), largest_gap([selection], alpha), largest_gap([tpr, fpr], alpha)


def _evidence(
    measure: str, family: str, names: Sequence[str], gap: Gap | None, champion: Gap | None, n: int, alpha: float
) -> Evidence:
    if gap is None:
        why = "nobody is selected" if measure == RATIO else "fewer than two groups have such a rate"
        return Evidence(measure, None, n, where=family, cannot_say=why)
    top, bottom = names[gap.top], names[gap.bottom]
    between = f"{bottom} over {top}" if measure == RATIO else f"{top} above {bottom}"
    rate = f"{('TPR', 'FPR')[gap.rate]} of " if measure == ODDS else ""
    beside = f" (champion {champion.value:.4g})" if champion else ""
    method = _METHOD.format("Donner-Zou ratios" if measure == RATIO else "Newcombe differences")
    interval = Interval(gap.low, gap.high, 1 - 2 * alpha, method)
    details = {"highest": top, "lowest": bottom, "champion": champion._asdict() if champion else None}
    return Evidence(measure, gap.value, n, interval, where=f"{family}: {rate}{between}{beside}", details=details)


def _known(odds: Evidence, names: Sequence[str], rates: GroupRates) -> Evidence:
    """A group without positives, or without negatives, has a rate that nobody has measured: it may be anything, so
    the difference may be as large as 1. fairlearn takes such a rate as 0.
    """
    from pytest_mlgates.stats.group_counts import FPR, TPR

    said = []
    for place, kind in ((TPR, "positives"), (FPR, "negatives")):
        lacking = [name for name, rows in zip(names, rates.rows[:, place].tolist(), strict=True) if not rows]
        said += [f"{', '.join(lacking)} without {kind}"] if lacking else []
    if not said or odds.interval is None:
        return odds
    unknown = "; ".join(said)
    widest = dataclasses.replace(odds.interval, high=1.0, method=f"{odds.interval.method}; unknown: {unknown}")
    return dataclasses.replace(
        odds, interval=widest, where=f"{odds.where}, {unknown}", details={**odds.details, "unknown": unknown}
    )

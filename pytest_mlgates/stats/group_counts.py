"""Who was selected, and rightly, group by group: counts, rates, and the rows that stand behind each rate.

A group's four counts (truth by decision) are all that its rates depend on, so a million rows are looked at once and
everything after works on a few numbers. The rates are fairlearn's: `selection_rate`, `true_positive_rate`,
`false_positive_rate`, and scikit-learn's `accuracy_score`. Where a group has no row that a rate is taken over (no
positives, say) the rate is NaN; fairlearn gives 0 there, which is a rate that nobody has measured.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Bools, Floats, Ints
from pytest_mlgates.stats.special import normal_quantile, t_quantile

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
SELECTION, TPR, FPR, ACCURACY = range(len(RATES))
#: Clusters give no more than their number in independent rows; how few is paid for at this one-sided level.
_LEVEL = 0.95


class GroupRates(NamedTuple):
    """All (groups, 4), the rates in the order of RATES: the rate itself, the rows it is taken over, and as how many
    independent unweighted rows those count.
    """

    value: Floats
    rows: Ints
    effective: Floats


def confusion(codes: Ints, groups: int, truth: Bools, selected: Bools) -> Ints:
    """Rows by group, truth and decision, (groups, 2, 2). Shapes: codes (n,) in 0 .. groups - 1, the others (n,)."""
    dtype: Any = np.uint8 if groups <= 64 else np.uint16 if groups <= 16384 else np.int64
    cell = codes.astype(dtype)
    cell <<= 2
    cell |= truth.view(np.uint8) << np.uint8(1)
    cell |= selected.view(np.uint8)
    return np.bincount(cell, minlength=4 * groups).reshape(groups, 2, 2)


def rates_of(cells: NDArray[Any]) -> Floats:
    """The four rates (..., 4) of counts or sums of weights (..., 2, 2), by truth and decision."""
    true_negative, false_positive = cells[..., 0, 0], cells[..., 0, 1]
    false_negative, true_positive = cells[..., 1, 0], cells[..., 1, 1]
    total = cells.sum(axis=(-2, -1))
    above = (true_positive + false_positive, true_positive, false_positive, true_positive + true_negative)
    below = (total, true_positive + false_negative, false_positive + true_negative, total)
    with np.errstate(invalid="ignore"):
        return np.stack([a / b for a, b in zip(above, below, strict=True)], axis=-1)


def rows_of(cells: Ints) -> Ints:
    """The rows (..., 4) that each of the four rates is taken over."""
    total, by_truth = cells.sum(axis=(-2, -1)), cells.sum(axis=-1)
    return np.stack([total, by_truth[..., 1], by_truth[..., 0], total], axis=-1)


def group_rates(
    codes: Ints,
    groups: int,
    truth: Bools,
    selected: Bools,
    *,
    weight: Floats | None = None,
    clusters: Ints | None = None,
) -> GroupRates:
    """The rates of every group. `weight` (n,) is positive, `clusters` (n,) are codes of rows that belong together.

    With neither, a row counts as one. Otherwise rows count as the effective sample of Korn & Graubard (1998, Survey
    Methodology 24): p(1 - p) over the rate's linearised variance, less for few clusters, and never more than Kish's
    (sum w)^2 / sum w^2 or the rows there are. A group whose rate is 0 or 1 shows no variance: then its clusters (or
    weighted rows) are what is counted. Clusters that reach over several groups are counted in each.
    """
    cells = confusion(codes, groups, truth, selected)
    rows = rows_of(cells)
    if weight is None and clusters is None:
        return GroupRates(rates_of(cells), rows, rows.astype(np.float64))
    w = np.ones(len(codes)) if weight is None else weight
    members = (np.ones(len(codes), dtype=bool), truth, ~truth, np.ones(len(codes), dtype=bool))
    hits = (selected, selected & truth, selected & ~truth, selected == truth)
    value, effective = np.empty((groups, len(RATES))), np.empty((groups, len(RATES)))
    for rate, (member, hit) in enumerate(zip(members, hits, strict=True)):
        part = None if clusters is None else clusters[member]
        found = _weighted(codes[member], groups, hit[member], w[member], part)
        value[:, rate], effective[:, rate] = found
    return GroupRates(value, rows, np.clip(effective, np.minimum(rows, 1), rows))


def _weighted(codes: Ints, groups: int, hit: Bools, w: Floats, clusters: Ints | None) -> tuple[Floats, Floats]:
    """(rates, effective rows), both (groups,), of rows that all count in the denominator."""
    total = np.bincount(codes, weights=w, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.bincount(codes, weights=w * hit, minlength=groups) / total
        kish = total**2 / np.bincount(codes, weights=w * w, minlength=groups)
        errors = w * (hit - rate[codes])
        unit_group, unit_weight, error = codes, w, errors
        if clusters is not None:
            unit, member = np.unique(clusters * groups + codes, return_inverse=True)
            unit_group = unit % groups
            unit_weight = np.bincount(member, weights=w, minlength=len(unit)).astype(np.float64)
            error = np.bincount(member, weights=errors, minlength=len(unit)).astype(np.float64)
        units = np.bincount(unit_group, minlength=groups)
        whole = total**2 / np.bincount(unit_group, weights=unit_weight**2, minlength=groups)
        variance = np.bincount(unit_group, weights=error**2, minlength=groups) / total**2 * units / (units - 1)
        linear = rate * (1 - rate) / variance
    if clusters is not None:
        linear *= [_few(int(count)) for count in units]
    varied = (rate > 0) & (rate < 1) & (units > 1)
    return rate, np.where(varied, np.minimum(linear, kish), whole)


def _few(units: int) -> float:
    """What a variance estimated from so many clusters is worth: the normal quantile over Student's t, squared."""
    return (normal_quantile(_LEVEL) / t_quantile(_LEVEL, units - 1)) ** 2 if units > 1 else 1.0

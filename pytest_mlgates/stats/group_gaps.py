"""How far groups lie apart in a rate: the largest difference, or the lowest over the highest, with an interval.

The largest of many differences is too large on average, and its bootstrap doubles that. So the interval is made of
pairs instead: Wilson limits of each group (1927) joined by Newcombe's (1998) rule for a difference and Donner &
Zou's (2012) for a ratio. The side on which the groups would be alike needs every pair to be close, and so no
correction (an intersection-union test, Berger 1982); the side on which they would be unlike needs one pair only, and
is Bonferroni's over all pairs in both directions. A group of fewer than 10 effective rows keeps the groups from being
alike and cannot prove that they are not: of one row, Wilson's limits err far more often than they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pytest_mlgates.stats.checks import Bools, Floats, Ints, interval_level
from pytest_mlgates.stats.group_counts import FPR, SELECTION, TPR, rates_of
from pytest_mlgates.stats.special import normal_quantile

#: A group that counts as fewer rows cannot prove a difference.
FEWEST = 10


class Limits(NamedTuple):
    """Wilson limits of rates, all of one shape."""

    value: Floats
    low: Floats
    high: Floats


class Gap(NamedTuple):
    """`low` and `high` bound `value`, each at one-sided alpha. `rate` is the place of the rate that gives it, among
    those looked at; `top` and `bottom` are the groups with the highest and lowest rate.
    """

    value: float
    low: float
    high: float
    rate: int
    top: int
    bottom: int


def wilson_limits(value: Floats, effective: Floats, z: float) -> Limits:
    """Limits of rates `value` measured on `effective` rows, `z` normal deviations out; NaN where a rate is NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 + z * z / effective
        centre = (value + z * z / (2 * effective)) / scale
        half = z * np.sqrt(np.maximum(value * (1 - value), 0) / effective + (z / (2 * effective)) ** 2) / scale
    # Rounding must not push a limit past the rate itself.
    return Limits(
        value, np.minimum(np.maximum(centre - half, 0.0), value), np.maximum(np.minimum(centre + half, 1.0), value)
    )


def largest_gap(rates: Sequence[tuple[Floats, Floats]], alpha: float = 0.05) -> Gap | None:
    """The largest difference of two groups in any of `rates`, each (values, effective rows) of shape (groups,).

    One rate gives fairlearn's demographic parity difference (of selection rates); true and false positive rates
    together give its equalized odds difference. Groups whose rate is NaN are left out; None where no rate is left
    with two groups.
    """
    interval_level(1 - 2 * alpha)
    kept = [(np.flatnonzero(~np.isnan(value)), value, rows) for value, rows in rates]
    pairs = sum(_pairs(rows[groups]) for groups, _, rows in kept)
    found: list[Gap] = []
    for rate, (groups, value, rows) in enumerate(kept):
        if len(groups) < 2:
            continue
        p, n = value[groups], rows[groups]
        top, bottom = groups[np.argmax(p)], groups[np.argmin(p)]
        outer = wilson_limits(p, n, normal_quantile(1 - alpha))
        inner = wilson_limits(p, n, normal_quantile(1 - alpha / max(pairs, 1)))
        gap = p[:, None] - p[None, :]
        high = gap + np.hypot((outer.high - p)[:, None], (p - outer.low)[None, :])
        low = gap - np.hypot((p - inner.low)[:, None], (inner.high - p)[None, :])
        np.fill_diagonal(high, 0.0)
        low[_untold(n)] = 0.0
        found.append(Gap(float(gap.max()), max(float(low.max()), 0.0), float(high.max()), rate, int(top), int(bottom)))
    if not found:
        return None
    widest = max(found, key=lambda gap: gap.value)
    return widest._replace(low=max(gap.low for gap in found), high=min(1.0, max(gap.high for gap in found)))


def lowest_over_highest(value: Floats, effective: Floats, alpha: float = 0.05) -> Gap | None:
    """The lowest rate over the highest, fairlearn's demographic parity ratio; as `largest_gap`. None where nobody is
    selected, too.
    """
    interval_level(1 - 2 * alpha)
    groups = np.flatnonzero(~np.isnan(value))
    if len(groups) < 2 or not value[groups].any():
        return None
    p, n = value[groups], effective[groups]
    outer = wilson_limits(p, n, normal_quantile(1 - alpha))
    inner = wilson_limits(p, n, normal_quantile(1 - alpha / max(_pairs(n), 1)))
    low, high = _ratio_low(outer), _ratio_high(inner)
    np.fill_diagonal(low, 1.0)
    high[_untold(n)] = 1.0
    ratio = float(p.min() / p.max())
    top, bottom = int(groups[np.argmax(p)]), int(groups[np.argmin(p)])
    return Gap(ratio, min(float(low.min()), ratio), max(min(float(high.min()), 1.0), ratio), 0, top, bottom)


def _pairs(rows: Floats) -> int:
    """Ordered pairs of groups that can prove a difference."""
    large = int(np.count_nonzero(rows >= FEWEST))
    return large * (large - 1)


def _untold(rows: Floats) -> Bools:
    """Pairs (groups, groups) that prove nothing: a group with itself, and those with a group too small."""
    small = rows < FEWEST
    return small[:, None] | small[None, :] | np.eye(len(rows), dtype=bool)


def _ratio_low(limits: Limits) -> Floats:
    """Lower bounds of value[i] / value[j], (groups, groups), in the form that divides by nothing small."""
    p, q = limits.value[:, None], limits.value[None, :]
    low, high = limits.low[:, None], limits.high[None, :]
    root = np.sqrt(np.maximum((p * q) ** 2 - low * high * (2 * p - low) * (2 * q - high), 0.0))
    below = p * q + root
    return np.where(below > 0, low * (2 * p - low) / np.where(below > 0, below, 1.0), 0.0)


def _ratio_high(limits: Limits) -> Floats:
    """Upper bounds of value[i] / value[j]: infinite where the second may be 0."""
    p, q = limits.value[:, None], limits.value[None, :]
    high, low = limits.high[:, None], limits.low[None, :]
    root = np.sqrt(np.maximum((p * q) ** 2 - high * low * (2 * p - high) * (2 * q - low), 0.0))
    below = low * (2 * q - low)
    return np.where(below > 0, (p * q + root) / np.where(below > 0, below, 1.0), np.inf)


class Drawn(NamedTuple):
    """Figures of bootstrap replicates, all (draws,)."""

    demographic_parity: Floats
    equalized_odds: Floats
    lowest_over_highest: Floats


def replicates(cells: Ints, draws: int = 1000, seed: int = 0) -> Ints:
    """Bootstrap replicates (draws, groups, 2, 2) of a table of counts, rows resampled within their group.

    Resampling a group's n rows changes nothing but its four counts, which are multinomial(n): drawing those is the
    same law without touching a row. It is the picture only; verdicts rest on `largest_gap`.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; give at least 1")
    flat = cells.reshape(len(cells), 4)
    sizes = flat.sum(axis=1)
    shares = flat / np.maximum(sizes, 1)[:, None]
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.multinomial(sizes, shares, size=(draws, len(cells))).reshape(draws, len(cells), 2, 2)


def drawn_gaps(drawn: Ints) -> Drawn:
    """The figures of each replicate, as fairlearn defines them; a rate over no rows is left out of its replicate."""
    rates = rates_of(drawn)
    low, high = np.nanmin(rates, axis=1, initial=1.0), np.nanmax(rates, axis=1, initial=0.0)
    gaps = np.maximum(high - low, 0.0)
    lowest, highest = low[:, SELECTION], high[:, SELECTION]
    ratio = np.where(highest > 0, lowest / np.where(highest > 0, highest, 1.0), 1.0)
    return Drawn(gaps[:, SELECTION], np.maximum(gaps[:, TPR], gaps[:, FPR]), ratio)

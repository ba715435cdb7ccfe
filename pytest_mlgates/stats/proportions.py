"""One proportion: exact and score intervals, and exact one-sided tests."""

from __future__ import annotations

import math
from typing import Literal

from pytest_mlgates.stats.checks import interval_level
from pytest_mlgates.stats.special import beta_cdf, beta_quantile, normal_quantile

Side = Literal["two", "lower", "upper"]


def clopper_pearson(successes: int, trials: int, level: float = 0.95, side: Side = "two") -> tuple[float, float]:
    """Exact interval (Clopper & Pearson 1934): covers at least `level` at every true proportion.

    `side` "lower" gives (bound, 1), "upper" gives (0, bound), each at `level`. Raises ValueError for counts
    that are not 0 <= successes <= trials with trials at least 1.
    """
    tail = _tail(successes, trials, level, side)
    low = 0.0 if side == "upper" or successes == 0 else beta_quantile(tail, successes, trials - successes + 1)
    high = 1.0 if side == "lower" or successes == trials else beta_quantile(1 - tail, successes + 1, trials - successes)
    return low, high


def wilson(successes: int, trials: int, level: float = 0.95, side: Side = "two") -> tuple[float, float]:
    """Score interval (Wilson 1927): narrower than the exact one, covers `level` on average only.

    One-sided as in `clopper_pearson`.
    """
    z = normal_quantile(1 - _tail(successes, trials, level, side))
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    scale = 1 + z * z / trials
    low = 0.0 if side == "upper" or successes == 0 else (centre - half) / scale
    high = 1.0 if side == "lower" or successes == trials else (centre + half) / scale
    return low, high


def binomial_p_above(successes: int, trials: int, bound: float) -> float:
    """P(X >= successes) at proportion `bound`: small when the proportion is proven above it (exact)."""
    _counts(successes, trials)
    _bound(bound)
    return 1.0 if successes == 0 else beta_cdf(bound, successes, trials - successes + 1)


def binomial_p_below(successes: int, trials: int, bound: float) -> float:
    """P(X <= successes) at proportion `bound`: small when the proportion is proven below it (exact)."""
    _counts(successes, trials)
    _bound(bound)
    return 1.0 if successes == trials else beta_cdf(1 - bound, trials - successes, successes + 1)


def _tail(successes: int, trials: int, level: float, side: Side) -> float:
    _counts(successes, trials)
    if side not in ("two", "lower", "upper"):
        raise ValueError(f"the side is {side!r}; give 'two', 'lower' or 'upper'")
    outside = 1 - interval_level(level)
    return outside / 2 if side == "two" else outside


def _counts(successes: int, trials: int) -> None:
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials; give 0 <= successes <= trials and trials >= 1")


def _bound(bound: float) -> None:
    if not 0 < bound < 1:
        raise ValueError(f"the bound on the proportion is {bound:g}; give one between 0 and 1")

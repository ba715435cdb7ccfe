"""The ratio of two proportions, such as the selection rates of two groups: score test and interval.

Farrington & Manning 1990: the standard error is taken at the rates that fit the data best among those whose
ratio is the tested one, which keeps its error near nominal where a log-ratio interval fails (small groups,
rates near 0 or 1). Counts need not be whole: weighted rows count as their effective number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pytest_mlgates.stats.checks import interval_level
from pytest_mlgates.stats.special import normal_cdf, normal_quantile


def restricted_rates(x1: float, n1: float, x2: float, n2: float, ratio: float) -> tuple[float, float]:
    """Maximum-likelihood rates (p1, p2) of two binomials under p1 = ratio * p2."""
    a = ratio * (n1 + n2)
    b = -(ratio * (n1 + x2) + x1 + n2)
    c = x1 + x2
    # The smaller root, written so that it does not cancel.
    p2 = 2 * c / (-b + math.sqrt(max(b * b - 4 * a * c, 0.0))) if c > 0 else 0.0
    p2 = min(p2, 1.0, 1 / ratio)
    return min(ratio * p2, 1.0), p2


def ratio_z(x1: float, n1: float, x2: float, n2: float, ratio: float) -> float:
    """Score statistic of p1/p2 against `ratio`: positive when the data lie above it, about standard normal.

    Raises ValueError for impossible counts or a ratio that is not positive.
    """
    _counts(x1, n1)
    _counts(x2, n2)
    if not (ratio > 0 and math.isfinite(ratio)):
        raise ValueError(f"the ratio is {ratio:g}; give a positive number such as 0.8")
    p1, p2 = restricted_rates(x1, n1, x2, n2, ratio)
    variance = p1 * (1 - p1) / n1 + ratio * ratio * p2 * (1 - p2) / n2
    distance = x1 / n1 - ratio * x2 / n2
    # Rates at 0 or 1 carry no variance; rounding of the same size as `distance` is no evidence either.
    if variance <= 0 or abs(distance) < 1e-15:
        return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def p_below(x1: float, n1: float, x2: float, n2: float, ratio: float) -> float:
    """One-sided p-value: small when p1/p2 is proven below `ratio`."""
    return normal_cdf(ratio_z(x1, n1, x2, n2, ratio))


def p_above(x1: float, n1: float, x2: float, n2: float, ratio: float) -> float:
    """One-sided p-value: small when p1/p2 is proven above `ratio`."""
    return normal_cdf(-ratio_z(x1, n1, x2, n2, ratio))


def ratio_interval(x1: float, n1: float, x2: float, n2: float, level: float = 0.90) -> tuple[float, float]:
    """Two-sided interval of p1/p2: the ratios the score test does not reject (Koopman 1984 form).

    Returns (0, inf) when neither group has a success.
    """
    _counts(x1, n1)
    _counts(x2, n2)
    z = normal_quantile((1 + interval_level(level)) / 2)

    def above(ratio: float) -> float:
        return ratio_z(x1, n1, x2, n2, ratio)

    if x1 == x2 == 0:
        return 0.0, math.inf
    low = 0.0 if x1 == 0 else _cross(lambda r: above(r) - z)
    high = math.inf if x2 == 0 else _cross(lambda r: above(r) + z)
    return low, high


def _cross(decreasing: Callable[[float], float]) -> float:
    """Where a decreasing function of the ratio passes 0, by halving on the log scale."""
    low, high = math.log(1e-12), math.log(1e12)
    for _ in range(100):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if decreasing(math.exp(middle)) > 0 else (low, middle)
    return math.exp((low + high) / 2)


def _counts(x: float, n: float) -> None:
    if n < 1 or not 0 <= x <= n:
        raise ValueError(f"{x:g} of {n:g} selected; give 0 <= selected <= group size, group size >= 1")

"""Quantiles without a distribution: bounds from order statistics, by the exact binomial.

The number of values below the true quantile q is binomial(n, q), whatever the distribution (David & Nagaraja
2003, section 7.1). Assumes independent values; bursts break that.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import floats, interval_level
from pytest_mlgates.stats.proportions import binomial_p_below


def rows_for_upper_bound(quantile: float, level: float = 0.95) -> int:
    """Fewest values with which any upper bound of the quantile exists: 299 for p99 at 95 %."""
    _quantile(quantile)
    return math.ceil(math.log(1 - interval_level(level)) / math.log(quantile) - 1e-12)


def quantile_bounds(values: ArrayLike, quantile: float, level: float = 0.90) -> tuple[float, float]:
    """Two-sided interval of a quantile at `level`, each side at (1 - level)/2, in the unit of `values` (n,).

    A side that the rows cannot bound is -inf or inf. Ties only make it wider.
    """
    ranked = np.sort(floats(values, "the values"))
    low, high = quantile_ranks(len(ranked), quantile, level)
    return (
        float(ranked[low - 1]) if low >= 1 else -math.inf,
        float(ranked[high - 1]) if high <= len(ranked) else math.inf,
    )


def quantile_ranks(n: int, quantile: float, level: float = 0.90) -> tuple[int, int]:
    """Ranks (from 1) of the order statistics that bound the quantile; 0 or n + 1 where none does."""
    _quantile(quantile)
    if n < 1:
        raise ValueError(f"{n} values; give at least one")
    tail = (1 - interval_level(level)) / 2
    # X(high) lies below the quantile exactly when high or more values do: P(B >= high) <= tail.
    high = _first(n + 1, lambda k: 1 - _at_most(k - 1, n, quantile) <= tail)
    # X(low) lies above the quantile exactly when at most low - 1 values lie below it.
    low = _first(n + 1, lambda k: _at_most(k - 1, n, quantile) > tail) - 1
    return low, high


def _at_most(k: int, n: int, quantile: float) -> float:
    if k < 0:
        return 0.0
    return binomial_p_below(min(k, n), n, quantile)


def _first(limit: int, holds: Callable[[int], bool]) -> int:
    """The smallest k in 1 .. limit at which a condition that stays true becomes true, else `limit`."""
    low, high = 1, limit
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _quantile(quantile: float) -> None:
    if not 0 < quantile < 1:
        raise ValueError(f"the quantile is {quantile:g}; give one between 0 and 1, such as 0.99")

"""Adjusted p-values for many tests at once, in the order they were given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import Floats, floats


def holm(p_values: ArrayLike) -> Floats:
    """Holm 1979: rejecting those at or below alpha keeps the chance of any false rejection below alpha."""
    p = _p_values(p_values)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    return _unsort(order, steps)


def _unsort(order: np.ndarray[tuple[int, ...], np.dtype[np.int64]], ranked: Floats) -> Floats:
    # `order[i]` is the place of the i-th smallest, not the rank of the i-th: assign through it.
    adjusted = np.empty(len(ranked))
    adjusted[order] = np.minimum(ranked, 1.0)
    return adjusted


def _p_values(values: ArrayLike) -> Floats:
    p = floats(values, "the p-values")
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"the p-values span {p.min():g} to {p.max():g}; give values inside [0, 1]")
    return p

"""The Kolmogorov-Smirnov distance of two columns from their histograms: exact, and no column is sorted.

The histograms of both sides bound the distance inside every cell; only cells that can beat the best of the cells'
own edges need their values. Of two columns that are alike more and more cells can, the more rows there are; where
their rows become too many to be held, the distance is known between its bounds, a ten-thousandth apart or less.
"""

from __future__ import annotations

import numpy as np

from pytest_mlgates.stats.checks import Floats, Ints
from pytest_mlgates.stats.histogram import Tally, Values

#: Rows of both sides in hiding places that are looked at.
MOST_ROWS = 2_000_000


def at_the_edges(a: Tally, b: Tally) -> float:
    """The largest gap of the two distribution functions at the edges of the common cells; a lower bound."""
    return float(np.abs(_shares(a) - _shares(b)).max())


def hiding_places(a: Tally, b: Tally) -> Ints:
    """The cells inside which the gap may be larger than at every edge; none when they hold too many rows."""
    if not a.present or not b.present:
        return np.empty(0, dtype=np.int64)
    cells = np.flatnonzero(_bound(a, b) > at_the_edges(a, b))
    return cells if int((a.counts + b.counts)[cells].sum()) <= MOST_ROWS else cells[:0]


def at_most(a: Tally, b: Tally) -> float:
    """An upper bound of the distance."""
    return max(at_the_edges(a, b), float(_bound(a, b).max()))


def _bound(a: Tally, b: Tally) -> Floats:
    to_a, to_b = _shares(a), _shares(b)
    from_a, from_b = _shifted(to_a), _shifted(to_b)
    # Where one side has no rows the gap is largest at an edge.
    both = (a.counts > 0) & (b.counts > 0)
    return np.where(both, np.maximum(to_a - from_b, to_b - from_a), 0.0)


def exact(a: Tally, b: Tally, of_a: Values, of_b: Values) -> float:
    """The distance, where `of_a` and `of_b` hold the values of the hiding places (and of other whole cells)."""
    points = np.union1d(of_a.values, of_b.values)
    best = at_the_edges(a, b)
    if len(points) == 0:
        return best
    gaps = np.abs(_up_to(a, points, of_a) / a.present - _up_to(b, points, of_b) / b.present)
    # A cell of which only one side's values are known says nothing at its points.
    known = np.intersect1d(a.grid.place(of_a.values), b.grid.place(of_b.values))
    told = np.isin(a.grid.place(points), known)
    return max(best, float(gaps[told].max(initial=0.0)))


def _shares(tally: Tally) -> Floats:
    return np.cumsum(tally.counts) / tally.present


def _shifted(shares: Floats) -> Floats:
    return np.concatenate(([0.0], shares[:-1]))


def _up_to(tally: Tally, points: Floats, known: Values) -> Ints:
    cells = tally.grid.place(points)
    first = np.searchsorted(tally.grid.place(known.values), cells, side="left")
    summed = np.concatenate(([0], np.cumsum(known.counts)))
    upto = np.maximum(np.searchsorted(known.values, points, side="right"), first)
    result: Ints = tally.before()[cells] + summed[upto] - summed[first]
    return result

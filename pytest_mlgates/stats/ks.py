"""The Kolmogorov-Smirnov distance of two columns from their histograms: exact, and no column is sorted.

The histograms of both sides bound the distance inside every cell; only cells that can beat the best of the cells'
own edges need their values. Of two columns that are alike more and more cells can, the more rows there are; where
their rows become too many to be held, the distance is known between its bounds, a ten-thousandth apart or less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.stats.checks import Floats, Ints
from pytest_mlgates.stats.histogram import Tally, Values

#: Rows of both sides in hiding places that are looked at.
MOST_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Gap:
    """What two histograms of one grid say of the distance of their columns.

    `at_the_edges` is the largest gap of the two distribution functions at the edges of the cells, a lower bound;
    `inside` (cells + 2,) bounds it inside each cell from above. Both are NaN where a column has no rows.
    """

    a: Tally
    b: Tally
    at_the_edges: float
    inside: Floats

    @property
    def at_most(self) -> float:
        """An upper bound of the distance."""
        return max(self.at_the_edges, float(self.inside.max()))

    def hiding_places(self) -> Ints:
        """The cells inside which the gap may be larger than at every edge; none when they hold too many rows."""
        cells = np.flatnonzero(self.inside > self.at_the_edges)
        return cells if int(self.a.counts[cells].sum() + self.b.counts[cells].sum()) <= MOST_ROWS else cells[:0]

    def exact(self, of_a: Values, of_b: Values) -> float:
        """The distance, where `of_a` and `of_b` hold the values of the hiding places (and of other whole cells)."""
        points = np.union1d(of_a.values, of_b.values)
        if len(points) == 0:
            return self.at_the_edges
        a, b = self.a, self.b
        gaps = np.abs(_up_to(a, points, of_a) / a.present - _up_to(b, points, of_b) / b.present)
        # A cell of which only one side's values are known says nothing at its points.
        known = np.intersect1d(a.grid.place(of_a.values), b.grid.place(of_b.values))
        told = np.isin(a.grid.place(points), known)
        return max(self.at_the_edges, float(gaps[told].max(initial=0.0)))


def gap(a: Tally, b: Tally) -> Gap:
    """The bounds that the counts of `a` and `b`, tallied on one grid, put on the distance."""
    if not a.present or not b.present:
        return Gap(a, b, math.nan, np.full(len(a.counts), math.nan))
    to_a, to_b = np.cumsum(a.counts) / a.present, np.cumsum(b.counts) / b.present
    inside = np.zeros(len(to_a))
    np.maximum(to_a[1:] - to_b[:-1], to_b[1:] - to_a[:-1], out=inside[1:])
    inside[0] = max(to_a[0], to_b[0])
    # Where one side has no rows the gap is largest at an edge.
    inside[(a.counts == 0) | (b.counts == 0)] = 0.0
    return Gap(a, b, float(np.abs(to_a - to_b).max()), inside)


def _up_to(tally: Tally, points: Floats, known: Values) -> Ints:
    cells = tally.grid.place(points)
    first = np.searchsorted(tally.grid.place(known.values), cells, side="left")
    summed = np.concatenate(([0], np.cumsum(known.counts)))
    upto = np.maximum(np.searchsorted(known.values, points, side="right"), first)
    result: Ints = tally.before()[cells] + summed[upto] - summed[first]
    return result

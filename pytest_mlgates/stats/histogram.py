"""Histograms fine enough that few rows need a second look: exact order statistics without sorting a column.

A column is counted over 65,536 cells while it streams by. What a cell does not tell (which of its values come
first) matters only in the few cells that hold an asked-for rank or edge; their values alone are read again.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.stats.checks import Floats, Ints

#: With the two outer ones, as many as two bytes can tell apart.
CELLS = 65_534
#: The share of a hint's values beyond the grid at each end: outliers must not stretch the cells.
_OUTSIDE = 0.0005


@dataclass(frozen=True, slots=True)
class Grid:
    """`cells` equal cells from `low` on, `scale` of them a unit. Cell 0 lies below them all, cell `cells` + 1 above.

    `single`: the column is known to hold whole numbers and each cell between the two outer ones holds one of them.
    """

    low: float
    scale: float
    cells: int = CELLS
    single: bool = False

    def place(self, values: Floats) -> Ints:
        """The cell (n,) of each value; larger values never lie in earlier cells. `values` (n,) has no NaN."""
        return self.placed(values).copy()

    def placed(self, values: Floats) -> Ints:
        """As `place`, in memory that the next call in this thread uses again."""
        at, cells = _scratch.floats(len(values)), _scratch.ints(len(values))
        with np.errstate(over="ignore"):
            np.subtract(values, self.low, out=at)
            at *= self.scale
        at += 1
        np.clip(at, 0, self.cells + 1, out=at)
        np.copyto(cells, at, casting="unsafe")
        return cells


@dataclass(frozen=True, slots=True)
class OctaveGrid:
    """Cells that grow with the values, as many an octave everywhere: for columns that span many sizes.

    The bits of a double, read as a whole number, keep the order of the doubles.
    """

    low: int
    shift: int
    cells: int = CELLS
    single: bool = False

    def place(self, values: Floats) -> Ints:
        """As `Grid.place`."""
        return self.placed(values).copy()

    def placed(self, values: Floats) -> Ints:
        """As `Grid.placed`."""
        at = _ordered(values)
        # The whole span of doubles fits no int64 difference, so both are halved.
        at >>= 1
        at -= self.low >> 1
        at >>= self.shift - 1
        at += 1
        np.clip(at, 0, self.cells + 1, out=at)
        return at


AnyGrid = Grid | OctaveGrid


def lay(hint: Floats) -> AnyGrid:
    """A grid for a column of which `hint` (k,), finite, are some values; any hint gives exact results in the end."""
    if len(hint) == 0:
        return Grid(0.0, 1.0)
    low, high = (float(end) for end in np.quantile(hint, (_OUTSIDE, 1 - _OUTSIDE), method="nearest"))
    even = lay_evenly(low, high)
    ends = _ordered(np.array([low, high]))
    span = int(ends[1]) - int(ends[0])
    grown = OctaveGrid(int(ends[0]), max(1, (span // (CELLS - 1)).bit_length()))
    return grown if _crowding(grown, hint) < _crowding(even, hint) else even


def lay_evenly(low: float, high: float) -> Grid:
    """Equal cells from `low` to `high`."""
    # The smallest step between doubles near the ends bounds how fine cells can be.
    step = float(np.spacing(max(abs(low), abs(high))))
    with np.errstate(over="ignore"):
        scale = CELLS / max(high - low, CELLS * step)
    return Grid(low, scale) if 0 < scale < math.inf else Grid(low, 1.0)


def lay_whole(low: float, high: float) -> Grid | None:
    """One cell a whole number from `low` to `high`; None when they are too many."""
    if not (high - low < CELLS - 2 and abs(low) < 2**52 and abs(high) < 2**52):
        return None
    return Grid(math.floor(low), 1.0, int(high - low) + 2, single=True)


def _crowding(grid: AnyGrid, hint: Floats) -> int:
    """Pairs of different values that share a cell: a value that repeats fills a cell on any grid."""
    rows = np.bincount(grid.placed(np.unique(hint)))
    return int((rows * (rows - 1)).sum())


def _ordered(values: Floats) -> Ints:
    """Whole numbers in the order of the doubles, in memory that the next call in this thread uses again."""
    bits, flipped = _scratch.ints(len(values)), _scratch.floats(len(values)).view(np.int64)
    np.add(values, 0.0, out=bits.view(np.float64))  # -0.0 is 0.0
    np.right_shift(bits, 63, out=flipped)
    flipped &= np.int64(2**63 - 1)
    bits ^= flipped
    return bits


class _Scratch(threading.local):
    """Memory used again and again: for every piece of a column anew, the system would take longer than the sums."""

    def __init__(self) -> None:
        self._floats, self._ints = np.empty(0), np.empty(0, dtype=np.int64)

    def floats(self, size: int) -> Floats:
        if len(self._floats) < size:
            self._floats = np.empty(size)
        return self._floats[:size]

    def ints(self, size: int) -> Ints:
        if len(self._ints) < size:
            self._ints = np.empty(size, dtype=np.int64)
        return self._ints[:size]


_scratch = _Scratch()


class Tally:
    """What one pass over a column keeps: rows a cell, nulls, extremes and moments."""

    def __init__(self, grid: AnyGrid) -> None:
        self.grid = grid
        self.counts: Ints = np.zeros(grid.cells + 2, dtype=np.int64)
        self.nulls = self.infinite = 0
        self.low, self.high = math.inf, -math.inf
        self.mean = self.squares = 0.0
        self._finite = 0

    @property
    def present(self) -> int:
        return int(self.counts.sum())

    @property
    def rows(self) -> int:
        return self.present + self.nulls

    @property
    def sd(self) -> float:
        """Standard deviation of the finite values, 0 for fewer than two."""
        return math.sqrt(self.squares / (self._finite - 1)) if self._finite > 1 else 0.0

    def add(self, values: Floats, nulls: int = 0) -> None:
        """Count one piece of the column, (n,) float64 without NaN."""
        self.count(self.grid.placed(values), values, nulls)

    def count(self, cells: Ints, values: Floats, nulls: int = 0) -> None:
        """As `add`, where the cells (n,) of the values are known."""
        self.nulls += nulls
        if len(values) == 0:
            return
        low, high = float(values.min()), float(values.max())
        self.counts += np.bincount(cells, minlength=len(self.counts))
        finite = values
        if math.isinf(low) or math.isinf(high):
            finite = values[np.isfinite(values)]
            self.infinite += len(values) - len(finite)
            if len(finite) == 0:
                return
            low, high = float(finite.min()), float(finite.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._moments(finite)

    def take(self, rows: int, low: float, high: float, mean: float, squares: float) -> None:
        """Moments that somebody else computed: `rows` finite values, their sum of squared distances from the mean."""
        self._finite, self.low, self.high, self.mean, self.squares = rows, low, high, mean, squares

    def _moments(self, finite: Floats) -> None:
        """Chan, Golub & LeVeque 1983, so that no pass subtracts large squares from each other."""
        rows = len(finite)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(finite.mean())
            apart = np.subtract(finite, mean, out=_scratch.floats(rows))
            squares = float(np.einsum("i,i->", apart, apart))
            total, step = self._finite + rows, mean - self.mean
            self.mean += step * rows / total
            self.squares += squares + step * step * self._finite * rows / total
        self._finite = total

    def before(self) -> Ints:
        """Rows in all earlier cells, (cells + 2,)."""
        return np.cumsum(self.counts) - self.counts


@dataclass(frozen=True, slots=True)
class Values:
    """The distinct values (k,) of chosen cells in ascending order, and rows (k,) of each."""

    values: Floats
    counts: Ints


def none() -> Values:
    return Values(np.empty(0), np.empty(0, dtype=np.int64))


def merged(parts: list[Values]) -> Values:
    """Several lots of one column's values as one."""
    if not parts:
        return none()
    values, place = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
    rows = np.concatenate([part.counts for part in parts])
    return Values(values, np.bincount(place, weights=rows, minlength=len(values)).astype(np.int64))


def of_single_cells(tally: Tally, cells: Ints) -> Values:
    """What a grid of single whole numbers knows of its cells without reading them again."""
    held = np.sort(cells[tally.counts[cells] > 0])
    return Values(np.asarray(tally.grid.low + held - 1.0, dtype=np.float64), tally.counts[held])


def cells_of_ranks(tally: Tally, ranks: Ints) -> Ints:
    """The cell in which the value of each rank (0: the smallest) lies."""
    return np.searchsorted(np.cumsum(tally.counts), ranks, side="right")


def order_statistics(tally: Tally, ranks: Ints, known: Values) -> Floats:
    """The value of each rank; `known` holds the values of the cells they lie in."""
    cells = cells_of_ranks(tally, ranks)
    first = np.searchsorted(tally.grid.place(known.values), cells, side="left")
    summed = np.concatenate(([0], np.cumsum(known.counts)))
    inside = ranks - tally.before()[cells] + summed[first]
    return known.values[np.searchsorted(summed, inside, side="right") - 1]


def rows_below(tally: Tally, edges: Floats, known: Values) -> Ints:
    """Rows smaller than each edge; `known` holds the values of the cells that the edges lie in."""
    cells = tally.grid.place(edges)
    first = np.searchsorted(tally.grid.place(known.values), cells, side="left")
    summed = np.concatenate(([0], np.cumsum(known.counts)))
    smaller = np.maximum(np.searchsorted(known.values, edges, side="left"), first)
    result: Ints = tally.before()[cells] + summed[smaller] - summed[first]
    return result

"""Histograms of any grid give the same order statistics, counts and distances as sorting would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_mlgates.stats import ks
from pytest_mlgates.stats.histogram import (
    AnyGrid,
    Grid,
    OctaveGrid,
    Tally,
    Values,
    lay,
    lay_evenly,
    lay_whole,
    merged,
    of_single_cells,
    order_statistics,
    rows_below,
)

ANY = st.one_of(
    st.floats(-1e300, 1e300), st.sampled_from([0.0, -0.0, 1.0, 1.0, np.inf, -np.inf, 5e-324, 1.7e308, -1.7e308])
)
COLUMN = st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=ANY))
GRID = st.one_of(
    st.builds(lay_evenly, st.floats(-10, 0), st.floats(0.1, 10)),
    st.builds(Grid, st.floats(-1e9, 1e9), st.floats(1e-9, 1e9), st.integers(1, 40)),
    st.builds(lambda x: lay(np.array(x)), st.lists(st.floats(-1e300, 1e300), max_size=8)),
    st.builds(OctaveGrid, st.integers(-(2**62), 2**62), st.integers(1, 60)),
)


def tallied(values: Any, grid: AnyGrid) -> tuple[Tally, Values]:
    """The column on the grid, and all its values as an engine would give them."""
    tally = Tally(grid)
    for part in np.array_split(values, 3):
        tally.add(part)
    found, counts = np.unique(values, return_counts=True)
    return tally, Values(found, counts)


@given(COLUMN, GRID)
def test_larger_values_never_lie_in_earlier_cells(values: Any, grid: AnyGrid) -> None:
    places = grid.place(np.sort(values))
    assert (np.diff(places) >= 0).all()
    assert places.min() >= 0
    assert places.max() <= grid.cells + 1


@given(COLUMN, GRID)
def test_order_statistics_are_those_of_the_sorted_column(values: Any, grid: AnyGrid) -> None:
    tally, known = tallied(values, grid)
    ranks = np.arange(len(values))
    assert (order_statistics(tally, ranks, known) == np.sort(values)).all()


@given(COLUMN, GRID, COLUMN)
def test_rows_below_any_edge_are_counted_exactly(values: Any, grid: AnyGrid, edges: Any) -> None:
    tally, known = tallied(values, grid)
    assert rows_below(tally, edges, known).tolist() == [int((values < edge).sum()) for edge in edges]


@given(COLUMN, COLUMN, GRID)
def test_the_distance_is_exact_with_the_values_of_the_hiding_places_alone(one: Any, other: Any, grid: AnyGrid) -> None:
    (a, of_a), (b, of_b) = tallied(one, grid), tallied(other, grid)
    cells = ks.gap(a, b).hiding_places()
    known = [Values(v.values[k], v.counts[k]) for v in (of_a, of_b) for k in [np.isin(grid.place(v.values), cells)]]
    points = np.concatenate((one, other))
    brute = max(abs((one <= p).mean() - (other <= p).mean()) for p in points)
    assert ks.gap(a, b).exact(*known) == pytest.approx(brute, abs=1e-12)
    assert ks.gap(a, b).at_the_edges <= brute + 1e-12


def test_few_cells_hide_anything_of_two_equal_columns() -> None:
    """What is read a second time is a small share of the rows."""
    one, other = (np.random.default_rng(seed).normal(size=100_000) for seed in (1, 2))
    grid = lay(one[:5_000])
    (a, of_a), (b, _) = tallied(one, grid), tallied(other, grid)
    again = np.isin(grid.place(of_a.values), ks.gap(a, b).hiding_places()).sum()
    assert again < 0.01 * len(one)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=60))
def test_whole_numbers_need_no_second_look(values: list[int]) -> None:
    column = np.array(values, dtype=float)
    grid = lay_whole(column.min(), column.max())
    assert grid is not None
    tally, _ = tallied(column, grid)
    known = of_single_cells(tally, np.arange(grid.cells + 2))
    assert dict(zip(known.values, known.counts, strict=True)) == {v: values.count(int(v)) for v in column}
    assert (order_statistics(tally, np.arange(len(column)), known) == np.sort(column)).all()


@pytest.mark.parametrize(("low", "high"), [(0, 1e6), (0, 2**60), (2**60, 2**60 + 5)])
def test_too_many_or_too_large_whole_numbers_get_no_cell_each(low: float, high: float) -> None:
    assert lay_whole(low, high) is None


@given(arrays(np.float64, st.integers(2, 50), elements=st.floats(-1e6, 1e6)))
def test_moments_do_not_depend_on_the_pieces(values: Any) -> None:
    tally, _ = tallied(values, Grid(0, 1))
    assert tally.mean == pytest.approx(values.mean(), abs=1e-9)
    assert tally.sd == pytest.approx(values.std(ddof=1), rel=1e-7, abs=1e-7)
    assert (tally.low, tally.high) == (values.min(), values.max())


def test_a_column_of_many_sizes_gets_cells_that_grow() -> None:
    wide = np.random.default_rng(0).lognormal(sigma=4, size=10_000)
    assert isinstance(lay(wide), OctaveGrid)
    assert isinstance(lay(np.random.default_rng(0).normal(size=10_000)), Grid)
    crowd = np.bincount(lay(wide).place(wide)).max()
    assert crowd < 50


def test_infinite_values_have_a_place_but_no_moments() -> None:
    tally, _ = tallied(np.array([1.0, 3.0, np.inf, -np.inf]), Grid(0, 1, 10))
    assert (tally.infinite, tally.present, tally.mean, tally.low, tally.high) == (2, 4, 2.0, 1.0, 3.0)


def test_lots_of_values_are_merged() -> None:
    one, other = Values(np.array([1.0, 2.0]), np.array([1, 1])), Values(np.array([2.0, 3.0]), np.array([4, 1]))
    both = merged([one, other])
    assert (both.values.tolist(), both.counts.tolist()) == ([1.0, 2.0, 3.0], [1, 5, 1])


def test_where_too_many_rows_hide_the_distance_is_between_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (np.random.default_rng(seed).normal(size=20_000) for seed in (1, 2))
    grid = lay_evenly(-3, 3)
    (a, of_a), (b, of_b) = tallied(one, grid), tallied(other, grid)
    distance = ks.gap(a, b).exact(of_a, of_b)
    monkeypatch.setattr(ks, "MOST_ROWS", 1)
    assert len(ks.gap(a, b).hiding_places()) == 0
    assert ks.gap(a, b).at_the_edges <= distance <= ks.gap(a, b).at_most <= ks.gap(a, b).at_the_edges + 2e-3

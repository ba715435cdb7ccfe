"""Intervals of the largest difference and of lowest over highest: they hold their level, where a bootstrap does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.stats.group_counts import FPR, SELECTION, TPR, confusion, rates_of, rows_of
from pytest_mlgates.stats.group_gaps import (
    FEWEST,
    drawn_gaps,
    largest_gap,
    lowest_over_highest,
    replicates,
    wilson_limits,
)
from pytest_mlgates.stats.proportions import wilson
from pytest_mlgates.stats.special import normal_quantile

COUNTS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=2, max_size=12).filter(
    lambda made: sum(a + b > 0 for a, b in made) > 1
)


def rates(made: list[tuple[int, int]]) -> tuple[Any, Any]:
    n = np.array([a + b for a, b in made], dtype=float)
    with np.errstate(invalid="ignore"):
        return np.array([a for a, _ in made]) / n, n


def test_limits_are_wilsons() -> None:
    value, n = np.array([0.0, 0.3, 1.0, 0.5]), np.array([5.0, 10.0, 3.0, 1e6])
    limits = wilson_limits(value, n, normal_quantile(0.95))
    for place in range(4):
        low, high = wilson(round(value[place] * n[place]), int(n[place]), 0.9)
        assert limits.low[place] == pytest.approx(low, abs=1e-12)
        assert limits.high[place] == pytest.approx(high, abs=1e-12)


@given(COUNTS, COUNTS)
@settings(max_examples=150)
def test_an_interval_holds_its_figure_and_stays_in_bounds(one: Any, other: Any) -> None:
    for gap in (largest_gap([rates(one)]), largest_gap([rates(one), rates(other)]), lowest_over_highest(*rates(one))):
        if gap is not None:
            assert 0 <= gap.low <= gap.value <= gap.high <= 1


@given(COUNTS)
@settings(max_examples=80)
def test_more_rows_at_the_same_rates_never_widen_it(made: Any) -> None:
    value, n = rates(made)
    few, many = largest_gap([(value, n)]), largest_gap([(value, 50 * n)])
    assert few is not None and many is not None
    assert many.high <= few.high + 1e-12
    if (n[n > 0] >= FEWEST).all():
        assert many.low >= few.low - 1e-12


def test_which_groups_it_lies_between() -> None:
    value, n = np.array([0.5, np.nan, 0.9, 0.1]), np.full(4, 100.0)
    gap = largest_gap([(value, n)])
    assert gap is not None
    assert (gap.top, gap.bottom, gap.value) == (2, 3, pytest.approx(0.8))
    both = largest_gap([(value, n), (np.array([0.0, 1.0, 0.0, 0.0]), n)])
    assert both is not None
    assert (both.rate, both.top, both.value) == (1, 1, 1.0)


@pytest.mark.parametrize("value", [[0.5, float("nan")], [float("nan"), float("nan")]])
def test_one_group_has_no_gap(value: list[float]) -> None:
    assert largest_gap([(np.array(value), np.ones(2))]) is None
    assert lowest_over_highest(np.array(value), np.ones(2)) is None


def test_nobody_selected_has_a_gap_of_0_and_no_ratio() -> None:
    none, n = np.zeros(3), np.full(3, 50.0)
    gap = largest_gap([(none, n)])
    assert gap is not None
    assert (gap.low, gap.value) == (0, 0)
    assert lowest_over_highest(none, n) is None


def test_a_group_of_a_few_rows_cannot_prove_a_difference_but_can_hide_one() -> None:
    value = np.array([0.1, 0.1, 1.0])
    few, enough = (largest_gap([(value, np.array([5000.0, 500.0, rows]))]) for rows in (FEWEST - 1, FEWEST))
    assert few is not None and enough is not None
    assert few.low == 0
    assert enough.low > 0.2
    assert few.high > 0.9


@pytest.mark.parametrize(
    ("sizes", "truth"),
    [
        ([50, 50], [0.5, 0.5]),
        ([500, 500], [0.5, 0.4]),
        ([400, 200, 100, 50], [0.5, 0.5, 0.5, 0.4]),
        ([4132, 259, 5, 6, 321, 1, 151, 125], [0.1] * 8),
    ],
)
def test_each_end_misses_in_7_percent_at_most(sizes: list[int], truth: list[float]) -> None:
    """Nominal 5 % a side. The percentile bootstrap's lower end is above a true 0 nearly always."""
    rng = np.random.default_rng(11)
    n, p = np.array(sizes), np.array(truth)
    gap, ratio = p.max() - p.min(), p.min() / p.max()
    missed = np.zeros(4)
    for _ in range(1000):
        value = rng.binomial(n, p) / n
        found, over = largest_gap([(value, n.astype(float))]), lowest_over_highest(value, n.astype(float))
        assert found is not None and over is not None
        missed += [found.low > gap, found.high < gap, over.low > ratio, over.high < ratio]
    assert (missed / 1000 <= 0.07).all()


def test_replicates_keep_group_sizes_and_come_from_their_seed() -> None:
    cells = np.array([[[5, 3], [2, 4]], [[0, 1], [0, 0]]])
    drawn = replicates(cells, 500, seed=7)
    assert drawn.shape == (500, 2, 2, 2)
    assert (drawn.sum(axis=(2, 3)) == [14, 1]).all()
    assert np.array_equal(drawn, replicates(cells, 500, seed=7))
    assert not np.array_equal(drawn, replicates(cells, 500, seed=8))


def test_replicates_follow_the_law_of_resampled_rows() -> None:
    """Means and variances of rows really resampled within their group, 4,000 times each."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [60, 25])
    truth, selected = rng.random(85) < 0.5, rng.random(85) < 0.4
    slow = np.empty((4000, 2, 2, 2))
    for draw in range(4000):
        rows = np.concatenate([rng.integers(0, 60, 60), 60 + rng.integers(0, 25, 25)])
        slow[draw] = confusion(codes[rows], 2, truth[rows], selected[rows])
    fast = replicates(confusion(codes, 2, truth, selected), 4000)
    assert np.abs(fast.mean(axis=0) - slow.mean(axis=0)).max() < 0.3
    assert np.abs(fast.std(axis=0) - slow.std(axis=0)).max() < 0.2


def test_drawn_figures_are_those_of_the_table_itself() -> None:
    rng = np.random.default_rng(1)
    cells = rng.integers(1, 40, (5, 2, 2))
    found = drawn_gaps(cells[None])
    value = rates_of(cells)
    rows = rows_of(cells).astype(float)
    parity, odds = (
        largest_gap([(value[:, place], rows[:, place]) for place in places]) for places in ((SELECTION,), (TPR, FPR))
    )
    ratio = lowest_over_highest(value[:, SELECTION], rows[:, SELECTION])
    assert parity is not None and odds is not None and ratio is not None
    assert [float(part[0]) for part in found] == pytest.approx([parity.value, odds.value, ratio.value], abs=1e-15)


def test_no_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="draws is 0; give at least 1"):
        replicates(np.ones((2, 2, 2), dtype=int), 0)

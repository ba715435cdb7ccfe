"""How far two rankings agree, and the bootstrap of mean importances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.stats.agreement import average_overlap, bootstrap_means, percentiles


@pytest.mark.parametrize(
    ("declared", "measured", "overlap"),
    [
        ([0, 1, 2], [0, 1, 2, 3], 1.0),
        ([0, 1, 2], [2, 1, 0], (0 + 1 / 2 + 1) / 3),
        ([0, 1, 2], [3, 4, 5], 0.0),
        ([0, 1, 2], [0, 1, 3, 2], (1 + 1 + 2 / 3) / 3),
        ([4], [4, 1], 1.0),
    ],
)
def test_average_overlap_by_hand(declared: list[int], measured: list[int], overlap: float) -> None:
    assert average_overlap(declared, measured) == pytest.approx(overlap)


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_it_lies_between_none_and_all_and_is_all_only_for_the_same(one: list[int], other: list[int]) -> None:
    found = average_overlap(one, other)
    assert 0 <= found <= 1
    assert (found == 1) == (list(one) == list(other))


def test_nothing_declared_cannot_agree() -> None:
    with pytest.raises(ValueError, match="nothing is declared"):
        average_overlap([], [1])


def test_the_bootstrap_has_the_spread_of_a_mean() -> None:
    weights = np.random.default_rng(1).gamma(2.0, size=(400, 3))
    draws = bootstrap_means(weights, None, draws=4000, seed=0)
    np.testing.assert_allclose(draws.mean(axis=0), weights.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(draws.std(axis=0), weights.std(axis=0) / 20, rtol=0.1)
    low, high = percentiles(draws[:, 0], 0.05)
    assert (draws[:, 0] < low).mean() == pytest.approx(0.05, abs=0.01)
    assert (draws[:, 0] > high).mean() == pytest.approx(0.05, abs=0.01)


def test_whole_groups_are_drawn() -> None:
    """Rows of one group are alike, so the mean is as uncertain as that of a tenth of the rows."""
    level = np.repeat(np.random.default_rng(2).normal(size=40), 10)
    weights = np.column_stack([level, level])
    groups = np.repeat(np.arange(40), 10)
    alone, together = (bootstrap_means(weights, g, draws=3000, seed=0).std() for g in (None, groups))
    assert together / alone == pytest.approx(np.sqrt(10), rel=0.15)

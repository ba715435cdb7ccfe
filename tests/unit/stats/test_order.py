"""Bounds of a quantile from order statistics: exact, and honest about too few rows."""

import math

import numpy as np
import pytest
from scipy import stats

from pytest_mlgates.stats.order import quantile_bounds, quantile_ranks, rows_for_upper_bound


def test_299_requests_are_the_floor_at_p99() -> None:
    assert rows_for_upper_bound(0.99, 0.95) == 299
    assert quantile_ranks(299, 0.99, 0.90)[1] == 299
    assert quantile_ranks(298, 0.99, 0.90)[1] == 299  # one past the last: no bound


@pytest.mark.parametrize("n", [1, 20, 300, 1000])
@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.99])
def test_ranks_are_the_tightest_that_hold_their_level(n, quantile) -> None:
    low, high = quantile_ranks(n, quantile, 0.90)
    below = stats.binom(n, quantile)
    # The true quantile lies above X(high) when `high` or more rows lie below it.
    assert high == n + 1 or below.sf(high - 1) <= 0.05 + 1e-12
    assert below.sf(high - 2) > 0.05 - 1e-12
    assert low == 0 or below.cdf(low - 1) <= 0.05 + 1e-12
    assert low == n or below.cdf(low) > 0.05 - 1e-12


def test_bounds_are_values_of_the_sample_or_infinite() -> None:
    values = np.random.default_rng(0).exponential(size=500)
    low, high = quantile_bounds(values, 0.9)
    assert low in values and high in values and low < np.quantile(values, 0.9) < high
    assert quantile_bounds(values[:100], 0.99)[1] == math.inf
    assert quantile_bounds(values[:3], 0.01)[0] == -math.inf


def test_coverage_whatever_the_distribution() -> None:
    rng = np.random.default_rng(1)
    truth = stats.lognorm.ppf(0.9, 2)
    low, high = np.array([quantile_bounds(rng.lognormal(0, 2, 200), 0.9) for _ in range(1000)]).T
    assert (low > truth).mean() < 0.06 and (high < truth).mean() < 0.06


@pytest.mark.parametrize("quantile", [0, 1, 99])
def test_a_quantile_is_between_0_and_1(quantile) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.99"):
        quantile_bounds([1.0, 2.0], quantile)


def test_no_values_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        quantile_ranks(0, 0.5)

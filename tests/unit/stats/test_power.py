"""Rows needed reproduce the policy's table, and planning agrees with what DeLong then finds."""

import numpy as np
import pytest
from scipy import stats

from pytest_mlgates.stats.delong import paired_auc
from pytest_mlgates.stats.power import (
    auc_rows_needed,
    both_below,
    minimum_resolvable_margin,
    rows_needed,
    two_figures,
)


@pytest.mark.parametrize(
    ("correlation", "margin", "rows"),
    [(0.9, 0.005, 11_000), (0.9, 0.01, 2_760), (0.98, 0.005, 2_240), (0.98, 0.01, 560)],
)
def test_the_policys_table(correlation, margin, rows) -> None:
    assert auc_rows_needed(margin, 0.80, correlation, 0.5) == pytest.approx(rows, rel=0.02)


def test_balancing_2_percent_of_positives_saves_12_8_times_the_rows() -> None:
    rare, even = (auc_rows_needed(0.005, 0.80, 0.9, p) for p in (0.02, 0.5))
    assert rare / even == pytest.approx(12.8, rel=0.005)


def test_planned_rows_are_what_delong_then_asks_for(binormal) -> None:
    y, a, b = binormal(40_000, 0.3, correlation=0.9)
    found = rows_needed(paired_auc(y, a, b).se, len(y), 0.005)
    assert found.rows == pytest.approx(auc_rows_needed(0.005, 0.8, 0.9, 0.3), rel=0.05)


def test_an_equal_challenger_passes_with_the_stated_power(binormal) -> None:
    n = round(auc_rows_needed(0.03, 0.8, 0.9, 0.5))
    passes = [paired_auc(*binormal(n, 0.5, seed=s)).interval(0.90)[0] > -0.03 for s in range(400)]
    assert np.mean(passes) == pytest.approx(0.80, abs=0.06)


def test_the_margin_is_2_49_errors() -> None:
    assert minimum_resolvable_margin(1.0) == pytest.approx(stats.norm.ppf(0.95) + stats.norm.ppf(0.8), rel=1e-12)
    assert minimum_resolvable_margin(1.0, power=0.9, alpha=0.05 / 20) == pytest.approx(
        stats.norm.ppf(1 - 0.05 / 20) + stats.norm.ppf(0.9), rel=1e-12
    )


def test_rows_scale_with_the_square_of_the_margin() -> None:
    assert rows_needed(0.01, 1000, 0.02, rarer=500).rows == two_figures(1000 * 2.48648**2 / 4)
    assert str(rows_needed(0.01, 1000, 0.0025)) == "99,000"


def test_few_rows_of_the_rarer_class_give_a_range() -> None:
    found = rows_needed(0.02, 1000, 0.005, rarer=20)
    assert found.low < found.rows < found.high
    assert str(found) == f"{found.low:,} to {found.high:,}"
    share = stats.chi2.ppf([0.9, 0.1], 19) / 19
    exact = 1000 * (2.48648 * 4) ** 2
    assert (found.low, found.high) == pytest.approx(tuple(exact / share), rel=0.07)


@pytest.mark.parametrize(("rows", "shown"), [(10_943, 11_000), (560.0, 560), (561, 570), (7.2, 8), (0.3, 1)])
def test_two_figures_round_up(rows, shown) -> None:
    assert two_figures(rows) == shown


def test_the_bivariate_normal_is_scipys() -> None:
    for x, r in ((0.84, 0.5), (0.84, 0.0), (1.5, 0.49)):
        theirs = stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([x, x])
        assert both_below(x, r) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("bad", [(0, 0.8, 0.9, 0.5), (0.01, 0.5, 0.9, 0.5), (0.01, 0.8, 1.0, 0.5), (0.01, 0.8, 0.9, 0)])
def test_a_plan_that_cannot_be_is_refused(bad) -> None:
    with pytest.raises(ValueError, match="give a margin above 0"):
        auc_rows_needed(*bad)


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="margin above 0"):
        rows_needed(0.01, 100, 0)
    with pytest.raises(ValueError, match="give 0 or more"):
        minimum_resolvable_margin(-1)
    with pytest.raises(ValueError, match="power is 1"):
        minimum_resolvable_margin(1, power=1)

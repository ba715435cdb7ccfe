"""The ratio of two selection rates: the score test's own properties, statsmodels' interval, and its calibration."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize

from pytest_mlgates.stats.ratio import p_above, p_below, ratio_interval, ratio_z, restricted_rates


@st.composite
def tables(draw):
    n1, n2 = draw(st.integers(5, 300)), draw(st.integers(5, 300))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2


@given(tables(), st.floats(0.2, 5))
def test_restricted_rates_maximise_the_likelihood(table, ratio) -> None:
    x1, n1, x2, n2 = table
    assume(0 < x1 < n1 and 0 < x2 < n2)
    top = min(1, 1 / ratio)

    def cost(p2):
        p1 = ratio * p2
        return -(x1 * math.log(p1) + (n1 - x1) * math.log1p(-p1) + x2 * math.log(p2) + (n2 - x2) * math.log1p(-p2))

    best = optimize.minimize_scalar(cost, bounds=(1e-9, top - 1e-9), method="bounded", options={"xatol": 1e-10})
    p1, p2 = restricted_rates(*table, ratio)
    assert cost(p2) <= best.fun + 1e-7
    assert p1 == pytest.approx(ratio * p2)


@given(tables())
def test_the_interval_is_statsmodels(table) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    x1, n1, x2, n2 = table
    assume(0 < x1 < n1 and 0 < x2 < n2)
    theirs = proportion.confint_proportions_2indep(
        *table, compare="ratio", method="score", alpha=0.10, correction=False
    )
    assert ratio_interval(*table, 0.90) == pytest.approx(theirs, rel=1e-3)


@given(tables(), st.floats(0.2, 5))
def test_the_other_direction_and_the_inverse_ratio_agree(table, ratio) -> None:
    x1, n1, x2, n2 = table
    assert ratio_z(*table, ratio) == pytest.approx(-ratio_z(x2, n2, x1, n1, 1 / ratio), rel=1e-6, abs=1e-6)
    assert p_below(*table, ratio) + p_above(*table, ratio) == pytest.approx(1)


@given(tables())
def test_the_interval_holds_exactly_what_the_test_keeps(table) -> None:
    x1, n1, x2, n2 = table
    assume(x1 > 0 and x2 > 0)
    low, high = ratio_interval(*table, 0.90)
    assert low <= (x1 / n1) / (x2 / n2) * (1 + 1e-9) and high >= (x1 / n1) / (x2 / n2) * (1 - 1e-9)
    assert p_above(*table, low * 0.999) < 0.0501 and p_above(*table, low * 1.001) > 0.0499
    assert p_below(*table, high * 1.001) < 0.0501 and p_below(*table, high * 0.999) > 0.0499


def test_empty_sides() -> None:
    assert ratio_interval(0, 50, 0, 40) == (0.0, math.inf)
    assert ratio_interval(0, 50, 20, 40)[0] == 0.0
    assert ratio_interval(20, 50, 0, 40)[1] == math.inf


def test_calibrated_at_the_boundary_in_small_groups() -> None:
    rng = np.random.default_rng(0)
    wrong = np.zeros(2)
    for _ in range(3000):
        table = (rng.binomial(60, 0.32), 60, rng.binomial(80, 0.40), 80)
        wrong += p_above(*table, 0.8) < 0.05, p_below(*table, 0.8) < 0.05
    assert (wrong / 3000 < 0.065).all() and (wrong / 3000 > 0.03).all()


@pytest.mark.parametrize("bad", [(5, 4, 1, 2, 0.8), (1, 4, 1, 0, 0.8), (1, 4, 1, 2, 0), (1, 4, 1, 2, math.inf)])
def test_impossible_input_is_refused(bad) -> None:
    with pytest.raises(ValueError, match="give"):
        ratio_z(*bad)

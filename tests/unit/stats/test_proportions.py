"""One proportion: statsmodels' and scipy's intervals, and tests that agree with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlgates.stats.proportions import binomial_p_above, binomial_p_below, clopper_pearson, wilson


@st.composite
def counts(draw):
    trials = draw(st.integers(1, 5000))
    return draw(st.integers(0, trials)), trials


@given(counts(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_two_sided_intervals_are_scipys(count, level) -> None:
    test = stats.binomtest(*count)
    for mine, name in ((clopper_pearson, "exact"), (wilson, "wilson")):
        theirs = test.proportion_ci(level, method=name)
        assert mine(*count, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts())
def test_one_sided_bounds_are_scipys(count) -> None:
    for side, alternative in (("lower", "greater"), ("upper", "less")):
        theirs = stats.binomtest(*count, alternative=alternative).proportion_ci(0.95, method="exact")
        assert clopper_pearson(*count, 0.95, side) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        theirs = stats.binomtest(*count, alternative=alternative).proportion_ci(0.95, method="wilson")
        assert wilson(*count, 0.95, side) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts(), st.floats(0.001, 0.999))
def test_exact_tests_are_scipys(count, bound) -> None:
    above = stats.binomtest(*count, bound, alternative="greater").pvalue
    below = stats.binomtest(*count, bound, alternative="less").pvalue
    assert binomial_p_above(*count, bound) == pytest.approx(above, rel=1e-7, abs=1e-13)
    assert binomial_p_below(*count, bound) == pytest.approx(below, rel=1e-7, abs=1e-13)


def test_no_error_in_299_proves_at_most_one_percent_and_298_do_not() -> None:
    assert clopper_pearson(0, 299, 0.95, "upper")[1] <= 0.01 < clopper_pearson(0, 298, 0.95, "upper")[1]


@pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(x, n) -> None:
    for function in (clopper_pearson, wilson, lambda x, n: binomial_p_above(x, n, 0.5)):
        with pytest.raises(ValueError, match="give 0 <= successes <= trials"):
            function(x, n)


def test_an_unknown_side_and_a_useless_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="'two', 'lower' or 'upper'"):
        wilson(1, 2, 0.9, "left")
    with pytest.raises(ValueError, match="between 0 and 1"):
        binomial_p_below(1, 2, 1.0)

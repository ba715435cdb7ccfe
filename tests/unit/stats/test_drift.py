"""Drift as an effect size: unbiased without a shift, with an error that covers, and equal to scipy's distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from pytest_mlgates.stats.drift import chi_square, jensen_shannon, ks_distance, psi

histogram = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any)
EVEN = np.full(10, 0.1)


def draw(p, n, q, m, repeats=2000):
    rng = np.random.default_rng(0)
    return [psi(rng.multinomial(n, p), rng.multinomial(m, q)) for _ in range(repeats)]


def test_without_a_shift_the_index_is_zero_on_average() -> None:
    found = draw(EVEN, 2000, EVEN, 1000)
    values = np.array([f.value for f in found])
    assert abs(values.mean()) < 3 * values.std() / 2000**0.5
    assert np.mean([f.raw for f in found]) > 0.012  # uncorrected it is off by the whole bias
    assert np.mean([f.se for f in found]) == pytest.approx(values.std(), rel=0.25)


def test_the_error_covers_a_true_shift() -> None:
    q = EVEN * np.linspace(0.4, 1.6, 10)
    truth = float(np.sum((EVEN - q) * np.log(EVEN / q)))
    found = draw(EVEN, 3000, q, 1500)
    values = np.array([f.value for f in found])
    assert values.mean() == pytest.approx(truth, rel=0.03)
    assert np.mean([f.se for f in found]) == pytest.approx(values.std(), rel=0.1)
    assert np.mean([f.lower(0.95) > truth for f in found]) == pytest.approx(0.05, abs=0.025)


def test_an_emptied_bin_is_far_but_finite() -> None:
    found = psi([100] * 10, [0, *[110] * 9])
    assert 0.2 < found.value < 2


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.lists(st.floats(-5, 5), min_size=1, max_size=40))
def test_ks_is_scipys(a, b) -> None:
    assert ks_distance(a, b) == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic, abs=1e-12)


@given(histogram, histogram)
def test_chi_square_is_scipys(a, b) -> None:
    table = np.array([a, b])
    table = table[:, table.sum(axis=0) > 0]
    found = chi_square(a, b)
    if table.shape[1] > 1:
        theirs = stats.chi2_contingency(table, correction=False)
        assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-10)
        assert found.cramers_v == pytest.approx(stats.contingency.association(table, "cramer"), abs=1e-12)
    else:
        assert (found.p_value, found.cramers_v) == (1.0, 0.0)


@given(histogram, histogram)
def test_jensen_shannon_is_scipys(a, b) -> None:
    assert jensen_shannon(a, b) == pytest.approx(np.nan_to_num(jensenshannon(a, b, base=2)) ** 2, abs=1e-9)
    assert jensen_shannon(a, b) == pytest.approx(jensen_shannon(b, a), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1, 2, 3]), ([1, -1], [1, 1]), ([0, 0], [1, 1])])
def test_histograms_that_do_not_compare_are_refused(a, b) -> None:
    for function in (psi, chi_square, jensen_shannon):
        with pytest.raises(ValueError, match=r"bins|negative or all zero"):
            function(a, b)

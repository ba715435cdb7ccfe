"""The quantiles and tails written here agree with scipy, at whose import cost they exist to save."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlgates.stats.special import (
    beta_cdf,
    beta_quantile,
    chi2_sf,
    normal_cdf,
    normal_quantile,
    t_cdf,
    t_quantile,
)

inside = st.floats(1e-6, 1 - 1e-6)
shape = st.floats(0.5, 1e6)


@given(inside)
def test_normal(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-10, abs=1e-12)
    assert normal_cdf(stats.norm.ppf(p)) == pytest.approx(p, rel=1e-10)


@example(0.501, 738981.0)
@given(st.floats(0.001, 0.999), st.floats(1, 1e6))
def test_student_t(p: float, df: float) -> None:
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9, abs=1e-10)
    assert t_cdf(stats.t.ppf(p, df), df) == pytest.approx(p, rel=1e-8)


def test_student_t_of_infinite_degrees_is_normal() -> None:
    assert t_quantile(0.95, math.inf) == normal_quantile(0.95)


@pytest.mark.parametrize("df", [1999.9, 2000.1])
def test_the_expansion_takes_over_without_a_step(df: float) -> None:
    assert t_quantile(0.9999, df) == pytest.approx(stats.t.ppf(0.9999, df), rel=1e-11)


@given(inside, shape, shape)
def test_beta(p: float, a: float, b: float) -> None:
    x = beta_quantile(p, a, b)
    assert x == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-9)
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-8)


@given(st.floats(0, 500), st.integers(1, 200))
def test_chi_square(x: float, df: int) -> None:
    assert chi2_sf(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, math.nan])
def test_a_probability_outside_its_range_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        t_quantile(p, 5)


def test_no_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(ValueError, match="degrees of freedom above 0"):
        t_quantile(0.95, 0)

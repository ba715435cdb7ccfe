"""Paired DeLong: exact with ties, antisymmetric, blind to monotone transforms, and robust to clusters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pytest_mlgates.stats.delong import paired_auc, single_auc

few_values = st.integers(0, 6)  # few distinct scores, so that ties are the rule


@st.composite
def samples(draw):
    n_pos, n_neg = draw(st.integers(2, 12)), draw(st.integers(2, 12))
    y = np.array(draw(st.permutations([True] * n_pos + [False] * n_neg)))
    scores = st.lists(few_values, min_size=len(y), max_size=len(y))
    return y, np.array(draw(scores), dtype=float), np.array(draw(scores), dtype=float)


def kernel(y, scores):
    """The definition: every positive against every negative, ties half. O(n^2)."""
    pos, neg = scores[y][:, None], scores[~y][None, :]
    return (pos > neg) + 0.5 * (pos == neg)


def by_definition(y, champion, challenger):
    """DeLong's variance of the difference from the full kernel matrix."""
    k = kernel(y, challenger) - kernel(y, champion)
    n_pos, n_neg = k.shape
    return k.mean(), k.mean(axis=1).var(ddof=1) / n_pos + k.mean(axis=0).var(ddof=1) / n_neg


@given(samples())
def test_ties_are_exact_against_the_full_kernel(sample) -> None:
    y, a, b = sample
    found = paired_auc(y, a, b)
    difference, variance = by_definition(y, a, b)
    assert found.champion == pytest.approx(kernel(y, a).mean(), abs=1e-15)
    assert found.difference == pytest.approx(difference, abs=1e-14)
    assert found.se**2 == pytest.approx(variance, abs=1e-14)


@given(samples())
def test_the_auc_is_scikit_learns(sample) -> None:
    y, a, b = sample
    found = paired_auc(y, a, b)
    assert found.champion == pytest.approx(roc_auc_score(y, a), abs=1e-12)
    assert found.challenger == pytest.approx(roc_auc_score(y, b), abs=1e-12)


@given(samples())
def test_swapping_the_models_turns_the_sign_and_nothing_else(sample) -> None:
    y, a, b = sample
    one, other = paired_auc(y, a, b), paired_auc(y, b, a)
    assert one.difference == -other.difference
    assert (one.se, one.df) == pytest.approx((other.se, other.df), rel=1e-12)


@given(samples())
def test_only_the_order_of_scores_matters(sample) -> None:
    y, a, b = sample
    assert paired_auc(y, np.exp(a), b * 3 - 7) == paired_auc(y, a, b)


@given(samples(), st.randoms())
def test_the_order_of_rows_does_not_matter(sample, random) -> None:
    y, a, b = sample
    p = np.array(random.sample(range(len(y)), len(y)))
    one, other = paired_auc(y, a, b), paired_auc(y[p], a[p], b[p])
    assert (one.difference, one.se) == pytest.approx((other.difference, other.se), abs=1e-14)


def test_degrees_of_freedom_are_welch_and_satterthwaites(binormal) -> None:
    y, a, b = binormal(200, 0.1)
    k = kernel(y, b) - kernel(y, a)
    p, n = k.mean(axis=1).var(ddof=1) / k.shape[0], k.mean(axis=0).var(ddof=1) / k.shape[1]
    expected = (p + n) ** 2 / (p**2 / (k.shape[0] - 1) + n**2 / (k.shape[1] - 1))
    assert paired_auc(y, a, b).df == pytest.approx(expected, rel=1e-10)


def test_a_cluster_a_row_is_no_clustering(binormal) -> None:
    y, a, b = binormal(300, 0.3)
    plain, clustered = paired_auc(y, a, b), paired_auc(y, a, b, groups=np.arange(300))
    assert (clustered.se, clustered.df) == pytest.approx((plain.se, plain.df), rel=1e-12)
    assert clustered.correlation == pytest.approx(plain.correlation, rel=1e-12)


def test_every_row_twice_in_one_cluster_carries_no_new_information(binormal) -> None:
    y, a, b = binormal(300, 0.3)
    twice = np.repeat(np.arange(300), 2)
    honest, doubled = paired_auc(y, a, b), paired_auc(y[twice], a[twice], b[twice], groups=twice)
    assert doubled.se == pytest.approx(honest.se, rel=1e-12)
    assert paired_auc(y[twice], a[twice], b[twice]).se < 0.75 * honest.se


def test_identical_orders_are_identical(binormal) -> None:
    y, a, _ = binormal(100, 0.3)
    found = paired_auc(y, a, np.exp(a))
    assert found.identical and found.se == 0 and found.correlation == 1
    assert found.interval(0.9) == (0, 0)


def test_constant_scores_are_legal() -> None:
    found = paired_auc([0, 1, 0, 1], [0.5] * 4, [0.1, 0.9, 0.4, 0.3])
    assert (found.champion, found.challenger) == (0.5, 0.75)
    assert found.correlation == 0 and not found.identical and found.se > 0


def test_correlation_is_that_of_the_estimates(binormal) -> None:
    y, a, b = binormal(400, 0.4)
    one, other, both = single_auc(y, a), single_auc(y, b), paired_auc(y, a, b)
    implied = (one.se**2 + other.se**2 - both.se**2) / (2 * one.se * other.se)
    assert both.correlation == pytest.approx(implied, rel=1e-10)


def test_a_single_interval_stays_inside_the_unit(binormal) -> None:
    y, a, _ = binormal(60, 0.2, auc=0.98)
    low, high = single_auc(y, a).interval(0.99)
    assert 0 < low < single_auc(y, a).auc < high < 1


def test_a_perfect_split_of_few_rows_is_not_certainty() -> None:
    low, high = single_auc([0] * 10 + [1] * 10, range(20)).interval(0.90)
    assert (low, high) == (pytest.approx(0.05**0.1), 1.0)
    low, high = single_auc([1] * 10 + [0] * 10, range(20)).interval(0.90)
    assert (low, high) == (0.0, pytest.approx(1 - 0.05**0.1))


@pytest.mark.parametrize(
    ("y", "a", "message"),
    [
        ([1, 1, 1], [1, 2, 3], "all 3 labels are 1; give rows of both classes"),
        ([0, 2, 1], [1, 2, 3], "values other than 0 and 1"),
        ([0, 1, 1, 0], [1, 2, 3], "the champion's scores has 3 rows where the labels have 4"),
        ([0, 1, 1, 0], [1, 2, 3, math.nan], "1 infinite or NaN values"),
        ([0, 1, 1, 0], [1, 2, 3, math.inf], "1 infinite or NaN values"),
        ([0, 0, 0, 1], [1, 2, 3, 4], "class 1 has a single row"),
        ([], [], "give one 0/1 label per row"),
        ([0, 0, 1, 1], ["a", "b", "c", "d"], "not numbers"),
        ([0, 0, 1, 1], [[1], [2], [3], [4]], "one value per row"),
    ],
)
def test_bad_input_is_named(y, a, message) -> None:
    with pytest.raises(ValueError, match=message):
        paired_auc(y, a, np.arange(len(y)))


def test_huge_but_finite_scores_are_legal() -> None:
    assert paired_auc([0, 0, 1, 1], [1e308, 1e308, 1.5e308, 1.7e308], [1, 2, 3, 4]).champion == 1


@pytest.mark.parametrize("groups", [["a"] * 4, ["a", "b", "c"]])
def test_groups_that_say_nothing_are_refused(groups) -> None:
    with pytest.raises(ValueError, match="the group column"):
        paired_auc([0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4], groups=groups)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_between_0_and_1(level) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.90"):
        paired_auc([0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4]).interval(level)

"""Counts and rates of groups: what fairlearn says, whatever the rows; and what weighted and clustered rows count as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.fairness.peer import agree, fairlearn_rates
from pytest_mlgates.stats.group_counts import RATES, SELECTION, confusion, group_rates, rates_of, rows_of
from pytest_mlgates.stats.group_gaps import largest_gap, lowest_over_highest
from pytest_mlgates.stats.ratio import p_below
from pytest_mlgates.stats.special import normal_quantile


@st.composite
def people(draw: st.DrawFn) -> tuple[Any, int, Any, Any]:
    """(codes, groups, truth, selected): every group occurs."""
    groups = draw(st.integers(2, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    codes = rng.permutation(np.concatenate([np.arange(groups), rng.integers(0, groups, draw(st.integers(0, 400)))]))
    truth = rng.random(len(codes)) < draw(st.floats(0, 1))
    return codes, groups, truth, rng.random(len(codes)) < draw(st.floats(0, 1))


@given(people())
@settings(max_examples=60)
def test_counts_are_the_rows_counted_one_by_one(made: tuple[Any, int, Any, Any]) -> None:
    codes, groups, truth, selected = made
    plain = np.zeros((groups, 2, 2), dtype=int)
    for place, y, s in zip(codes, truth, selected, strict=True):
        plain[place, int(y), int(s)] += 1
    assert np.array_equal(confusion(codes, groups, truth, selected), plain)


@given(people(), st.integers(0, 1000))
@settings(max_examples=40)
def test_renaming_groups_renames_their_rates_and_nothing_else(made: tuple[Any, int, Any, Any], seed: int) -> None:
    codes, groups, truth, selected = made
    other = np.random.default_rng(seed).permutation(groups)
    rates = group_rates(codes, groups, truth, selected)
    renamed = group_rates(other[codes], groups, truth, selected)
    assert np.array_equal(renamed.value[other], rates.value, equal_nan=True)
    gaps = [largest_gap([(r.value[:, SELECTION], r.effective[:, SELECTION])]) for r in (rates, renamed)]
    assert gaps[0] is not None and gaps[1] is not None
    assert gaps[0][:3] == pytest.approx(gaps[1][:3], abs=1e-15)


@given(people())
@settings(max_examples=12)
def test_the_rates_are_fairlearns(made: tuple[Any, int, Any, Any]) -> None:
    pytest.importorskip("fairlearn")
    codes, groups, truth, selected = made
    rates = group_rates(codes, groups, truth, selected)
    theirs = fairlearn_rates(codes, groups, truth, selected, None)
    known = rates.rows > 0
    assert np.abs(rates.value - theirs)[known].max() <= 1e-12
    # Where there is nothing to take a rate over, fairlearn says 0, and we that nobody knows.
    assert np.isnan(rates.value[~known]).all()
    assert (theirs[~known] == 0).all()


@given(people(), st.integers(0, 1000))
@settings(max_examples=6)
def test_weighted_rates_are_fairlearns(made: tuple[Any, int, Any, Any], seed: int) -> None:
    pytest.importorskip("fairlearn")
    codes, groups, truth, selected = made
    weight = np.random.default_rng(seed).random(len(codes)) + 0.1
    rates = group_rates(codes, groups, truth, selected, weight=weight)
    known = rates.rows > 0
    theirs = fairlearn_rates(codes, groups, truth, selected, weight)
    assert np.abs(rates.value - theirs)[known].max() <= 1e-12


def test_the_differences_are_fairlearns() -> None:
    pytest.importorskip("fairlearn")
    from fairlearn.metrics import (
        demographic_parity_difference,
        demographic_parity_ratio,
        equalized_odds_difference,
    )

    rng = np.random.default_rng(3)
    for groups in (2, 3, 9):
        codes = np.tile(np.arange(groups), 80)
        truth, selected = rng.random(len(codes)) < 0.4, rng.random(len(codes)) < 0.3
        rates = group_rates(codes, groups, truth, selected)
        selection, tpr, fpr = ((rates.value[:, place], rates.effective[:, place]) for place in range(3))
        given_ = {"y_true": truth.astype(int), "y_pred": selected.astype(int), "sensitive_features": codes}
        parity, odds, ratio = largest_gap([selection]), largest_gap([tpr, fpr]), lowest_over_highest(*selection)
        assert parity is not None and odds is not None and ratio is not None
        assert parity.value == pytest.approx(demographic_parity_difference(**given_), abs=1e-12)
        assert odds.value == pytest.approx(equalized_odds_difference(**given_), abs=1e-12)
        assert ratio.value == pytest.approx(demographic_parity_ratio(**given_), abs=1e-12)


def test_a_figure_that_fairlearn_does_not_confirm_is_no_figure() -> None:
    rates = group_rates(*_two_groups())
    theirs = rates.value.copy()
    assert agree("sex", ("f", "m"), rates, theirs) == "equal to fairlearn within 0"
    for wrong in (theirs[1, 2] + 2e-12, float("nan")):
        theirs[1, 2] = wrong
        with pytest.raises(CouldNotEvaluate, match=r"a false_positive_rate of .* for sex=m, and this gate "):
            agree("sex", ("f", "m"), rates, theirs)


def test_without_fairlearn_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fairlearn.metrics", None)
    with pytest.raises(CouldNotEvaluate) as caught:
        fairlearn_rates(*_two_groups(), None)
    assert str(caught.value) == (
        'fairness asks for fairlearn, which is not installed: pip install "pytest-mlgates[fairness]", or write '
        "fairlearn = false"
    )


def test_rows_and_rates_of_a_table_by_hand() -> None:
    cells = np.array([[[6, 2], [1, 3]]])  # 6 true negatives, 2 false positives, 1 false negative, 3 true positives
    assert rows_of(cells).tolist() == [[12, 4, 8, 12]]
    assert rates_of(cells)[0] == pytest.approx([5 / 12, 3 / 4, 2 / 8, 9 / 12])
    assert len(RATES) == 4


def test_equal_weights_change_nothing() -> None:
    plain = group_rates(*_two_groups())
    weighted = group_rates(*_two_groups(), weight=np.full(600, 2.5))
    assert np.allclose(weighted.value, plain.value)
    # The variance is estimated with n - 1, so a row counts as a little less than one.
    assert np.allclose(weighted.effective, plain.effective, rtol=0.01)
    assert (weighted.effective <= plain.effective).all()


def test_unequal_weights_count_as_fewer_rows() -> None:
    weight = np.random.default_rng(0).lognormal(sigma=1.0, size=600)
    found = group_rates(*_two_groups(), weight=weight)
    assert (found.effective < 0.7 * found.rows).all()


def test_rows_that_always_go_together_count_as_their_clusters() -> None:
    codes = np.repeat([0, 1], 300)
    cluster = np.arange(600) // 10
    selected = np.random.default_rng(1).random(60)[cluster] < 0.5
    found = group_rates(codes, 2, np.ones(600, bool), selected, clusters=cluster)
    assert (found.effective[:, SELECTION] < 31).all()
    assert (found.effective[:, SELECTION] > 20).all()


@pytest.mark.parametrize("selected", [np.zeros(40, bool), np.ones(40, bool)])
def test_a_rate_of_0_or_1_is_worth_its_clusters(selected: Any) -> None:
    codes, cluster = np.repeat([0, 1], 20), np.arange(40) // 5
    found = group_rates(codes, 2, np.ones(40, bool), selected, clusters=cluster)
    assert found.effective[:, SELECTION].tolist() == [4.0, 4.0]


def test_few_clusters_count_as_fewer_rows_still() -> None:
    """At the boundary with 6 clusters a group is proven outside in 6 % at most; taken as rows, in 20 % and more."""
    rng = np.random.default_rng(2)
    codes, cluster = np.repeat(np.arange(6) % 2, 50), np.repeat(np.arange(6), 50)
    wrong = np.zeros(2)
    for _ in range(500):
        score = np.sqrt(0.2) * np.repeat(rng.normal(size=6), 50) + np.sqrt(0.8) * rng.normal(size=300)
        selected = score < np.where(codes == 1, normal_quantile(0.4), 0.0)
        for place, clusters in enumerate((cluster, None)):
            found = group_rates(codes, 2, np.ones(300, bool), selected, clusters=clusters)
            (rate, other), (n, m) = found.value[:, SELECTION], found.effective[:, SELECTION]
            wrong[place] += p_below(other * m, m, rate * n, n, 0.8) <= 0.05
    assert wrong[0] / 500 <= 0.06
    assert wrong[1] / 500 >= 0.2


def test_one_cluster_is_one_row() -> None:
    codes, truth = np.repeat([0, 1], 20), np.ones(40, bool)
    selected = np.arange(40) % 2 == 0
    found = group_rates(codes, 2, truth, selected, clusters=np.zeros(40, dtype=np.int64))
    assert found.effective[:, SELECTION].tolist() == [1.0, 1.0]


def test_two_clusters_at_odds_are_one_row_and_never_less() -> None:
    codes, cluster = np.repeat([0, 1], 40), np.arange(80) // 20
    found = group_rates(codes, 2, np.ones(80, bool), cluster % 2 == 0, clusters=cluster)
    assert found.effective[:, SELECTION].tolist() == [1.0, 1.0]


def test_single_rows_as_clusters_are_nearly_rows() -> None:
    found = group_rates(*_two_groups(), clusters=np.arange(600))
    assert np.allclose(found.effective, found.rows, rtol=0.03)
    assert (found.effective <= found.rows).all()


def _two_groups() -> tuple[Any, int, Any, Any]:
    rng = np.random.default_rng(5)
    return np.repeat([0, 1], 300), 2, rng.random(600) < 0.5, rng.random(600) < 0.4

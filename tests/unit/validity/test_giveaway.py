"""Features that give the label away are found, however they hide it; strong honest ones are not."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from by_hand import golden_of

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.golden.giveaway import feature_auc, linear_auc
from pytest_mlgates.policy import GoldenValidity

POLICY = GoldenValidity()
N = 1000


@pytest.fixture
def honest() -> pd.DataFrame:
    """Two weak features of a balanced label."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    return pd.DataFrame({"a": rng.normal(size=N) + 0.5 * y, "b": rng.normal(size=N), "y": y})


def test_honest_features_stay_below(honest: pd.DataFrame) -> None:
    for measured in (feature_auc(golden_of(honest), POLICY), linear_auc(golden_of(honest), POLICY)):
        assert measured.value is not None and measured.interval is not None
        assert 0.55 < measured.value < 0.75
        assert measured.interval.low < measured.value < measured.interval.high


GIVEAWAYS = {
    "number": lambda y, rng: y + rng.normal(scale=0.1, size=N),
    "downwards": lambda y, rng: -3 * y + rng.normal(scale=0.1, size=N),
    "u-shape": lambda y, rng: np.where(y == 1, rng.choice([-1, 1], N), 0) + rng.normal(scale=0.1, size=N),
    "codes": lambda y, rng: np.where(y == 1, rng.choice([1, 3, 5], N), rng.choice([2, 4], N)),
    "words": lambda y, rng: np.where(y == 1, "closed", "open"),
    "category": lambda y, rng: pd.Categorical(np.where(y == 1, "closed", "open")),
    "gaps": lambda y, rng: np.where(y == 1, rng.normal(size=N), np.nan),
    "flag": lambda y, rng: (y == 1).to_numpy(),
    "date": lambda y, rng: pd.Timestamp("2026-01-01") + pd.to_timedelta(y * 100 + rng.random(N), unit="D"),
    "infinite": lambda y, rng: np.where(y == 1, np.inf, rng.normal(size=N)),
}


@pytest.mark.parametrize("how", GIVEAWAYS)
def test_a_feature_that_gives_the_label_away_is_found(honest: pd.DataFrame, how: str) -> None:
    frame = honest.assign(told=GIVEAWAYS[how](honest.y, np.random.default_rng(1)))
    found = feature_auc(golden_of(frame), POLICY)
    assert found.where == "told"
    assert found.interval is not None and found.interval.low > 0.95
    assert next(iter(found.details["largest"])) == "told" or found.details["largest"]["told"] > 0.95


def test_words_that_are_all_different_give_nothing_away(honest: pd.DataFrame) -> None:
    """Each value's rate is learnt on other rows; learnt on its own, every name would be a perfect feature."""
    frame = honest.assign(name=[f"n{row}" for row in range(N)])
    assert feature_auc(golden_of(frame), POLICY).details["largest"]["name"] < 0.6


def test_the_interval_widens_with_the_number_of_features_tried(honest: pd.DataFrame) -> None:
    few, many = (
        feature_auc(golden_of(honest[["a", "y"]].assign(**{f"c{i}": 0 for i in range(extra)})), POLICY).interval
        for extra in (0, 40)
    )
    assert few is not None and many is not None
    assert few.level == 0.90 and many.level == pytest.approx(1 - 0.1 / 41)
    assert many.low < few.low < few.high < many.high


def test_a_sum_that_gives_the_label_away_is_found_by_the_linear_model_only(honest: pd.DataFrame) -> None:
    noise = np.random.default_rng(1).normal(size=N)
    frame = honest.assign(p=honest.y + 4 * noise, q=-4 * noise)
    single, linear = feature_auc(golden_of(frame), POLICY), linear_auc(golden_of(frame), POLICY)
    assert single.value is not None and single.value < 0.75
    assert linear.interval is not None and linear.interval.low > 0.95


def test_several_classes_are_judged_one_against_the_rest(honest: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    y = rng.choice(["x", "y", "z"], N)
    frame = pd.DataFrame({"a": rng.normal(size=N), "told": np.where(y == "z", 1.0, 0.0), "y": y})
    for found in (feature_auc(golden_of(frame), POLICY), linear_auc(golden_of(frame), POLICY)):
        assert found.interval is not None and found.interval.low > 0.95


def test_a_linear_model_does_not_recognise_a_customer_it_was_fitted_on() -> None:
    """200 customers of 5 equal rows each, features that only tell the customer: nothing to predict with."""
    rng = np.random.default_rng(0)
    customer = np.repeat(np.arange(200), 5)
    y = np.repeat(rng.integers(0, 2, 200), 5)
    features = pd.DataFrame(rng.normal(size=(200, 60))[customer]).add_prefix("f").assign(y=y)
    alone = linear_auc(golden_of(features), POLICY).value
    grouped = linear_auc(golden_of(features, group=customer), POLICY).value
    assert alone is not None and grouped is not None
    assert alone > 0.6 > grouped


def test_words_and_gaps_reach_the_linear_model(honest: pd.DataFrame) -> None:
    frame = honest[["y"]].assign(word=np.where(honest.y == 1, "x", None))
    assert linear_auc(golden_of(frame), POLICY).value == 1


@pytest.mark.parametrize("measure", [feature_auc, linear_auc])
def test_too_few_rows_give_no_answer(honest: pd.DataFrame, measure: object) -> None:
    few = pd.concat([honest[honest.y == 0], honest[honest.y == 1][:9]])
    found = measure(golden_of(few), POLICY)  # type: ignore[operator]
    assert found.cannot_say == "9 rows in the rarest class; at least 10 are needed"


@pytest.mark.parametrize("measure", [feature_auc, linear_auc])
def test_no_features_give_no_answer(honest: pd.DataFrame, measure: object) -> None:
    assert "no feature column" in measure(golden_of(honest[["y"]]), POLICY).cannot_say  # type: ignore[operator]


def test_without_scikit_learn_the_fix_is_said(honest: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(CouldNotEvaluate, match="scikit-learn is not installed, so no linear model can be tried"):
        linear_auc(golden_of(honest), POLICY)


def test_a_large_set_is_fitted_on_a_part(honest: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_mlgates.measure.golden.giveaway._MOST_ROWS", 300)
    assert linear_auc(golden_of(honest), POLICY).n == 300


def test_the_same_rows_give_the_same_figures(honest: pd.DataFrame) -> None:
    for measure in (feature_auc, linear_auc):
        assert measure(golden_of(honest), POLICY) == measure(golden_of(honest), POLICY)

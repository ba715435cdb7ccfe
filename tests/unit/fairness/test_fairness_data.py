"""Who counts as selected: at a declared threshold, else by the model's own label; scores alone select nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.fairness.data import decided, judged_rows
from pytest_mlgates.policy import Fairness

from .people import golden_of, model, settings_of

FRAME = pd.DataFrame({"x": range(6), "sex": list("mfmfmf"), "y": [0, 1, 0, 1, 0, 1]})
SCORES = [0.1, 0.3, 0.4, 0.6, 0.7, 0.9]


def selected(one: Any, frame: pd.DataFrame = FRAME, **settings: Any) -> list[bool]:
    of = settings_of(["sex"], **settings)
    golden = golden_of(frame, of)
    return [bool(chosen) for chosen in decided(one, golden, golden, of).selected]


def test_at_the_declared_threshold_whatever_the_model_predicts() -> None:
    one = model("challenger", SCORES, threshold=0.35, labels=[0] * 6)
    assert selected(one) == [False, False, True, True, True, True]


def test_a_score_on_the_threshold_is_selected() -> None:
    assert selected(model("challenger", SCORES, threshold=0.6))[3] is True


def test_without_a_threshold_the_models_own_labels_decide() -> None:
    assert selected(model("challenger", SCORES, labels=[1, 0, 0, 0, 0, 1])) == [True, False, False, False, False, True]


def test_labels_in_words() -> None:
    frame = FRAME.assign(y=["bad", "good"] * 3)
    one = model("challenger", SCORES, labels=["good", "bad", "bad", "good", "bad", "bad"])
    assert selected(one, frame, positive_class="good") == [True, False, False, True, False, False]


def test_scores_without_a_threshold_are_refused_with_what_to_write() -> None:
    with pytest.raises(CouldNotEvaluate) as caught:
        selected(model("challenger", SCORES))
    assert str(caught.value) == (
        "challenger challenger v1 answers scores, and nothing says from which score on a row is selected: write "
        "threshold = 0.5 (say) in the settings, or tag the version with mlgates.threshold"
    )


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, 2, 0, 1, 0], "answers scores, and nothing says"),
        ([0.0, 1.0, float("nan"), 0, 1, 0], "answered NaN or infinity for 1 of 6 rows"),
        ([0, 1], "answered 2 rows for the 6 it was given"),
        (1, "answered a single value rows for the 6 it was given"),
        (np.full((6, 2), 0.5), "answers scores, and nothing says"),
    ],
)
def test_answers_that_are_no_labels_select_nobody(labels: Any, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate, match=sentence):
        selected(model("challenger", SCORES, labels=labels))


def test_a_regression_selects_nobody() -> None:
    of = settings_of(["sex"], task="regression")
    with pytest.raises(CouldNotEvaluate, match="a regression selects nobody"):
        judged_rows(golden_of(FRAME, of), None, model("challenger", SCORES), Fairness(), of)


def test_a_multiclass_model_selects_for_the_declared_class() -> None:
    frame = FRAME.assign(y=["low", "mid", "high"] * 2)
    places = [0, 1, 2, 0, 0, 1]  # golden_set.classes: high, low, mid
    undeclared = settings_of(["sex"], task="multiclass")
    one = model("challenger", SCORES, labels=places)
    with pytest.raises(CouldNotEvaluate, match=r'write positive_class = "...", one of \'high\', \'low\', \'mid\''):
        judged_rows(golden_of(frame, undeclared), None, one, Fairness(), undeclared)
    of = settings_of(["sex"], task="multiclass", positive_class="high")
    judged = judged_rows(golden_of(frame, of), None, one, Fairness(), of)
    assert judged.challenger.selected.tolist() == [True, False, False, True, True, False]
    assert judged.truth.tolist() == [False, False, True, False, False, True]
    wrong = settings_of(["sex"], task="multiclass", positive_class="top")
    with pytest.raises(CouldNotEvaluate, match=r"positive_class = 'top' .* is no label of g.csv"):
        judged_rows(golden_of(frame, wrong), None, one, Fairness(), wrong)


def test_rows_without_a_cluster_are_said() -> None:
    frame = FRAME.assign(user=["a", "a", None, "b", "b", "b"])
    of = settings_of(["sex"], group="user")
    with pytest.raises(CouldNotEvaluate, match=r"1 rows of g\.csv have no value in the group column 'user'"):
        judged_rows(golden_of(frame, of), None, model("c", SCORES, labels=[0] * 6), Fairness(), of)


def test_a_sample_is_as_drawn_and_needs_no_weights(tmp_path: Any) -> None:
    FRAME.drop(columns="y").assign(y=[1, 1, 1, 0, 0, 1]).to_csv(tmp_path / "s.csv", index=False)
    golden = FRAME.assign(w=2.0, id=range(6))
    of = settings_of(["sex"], weight="w", base=tmp_path, ignore=["sex", "id"])
    judged = judged_rows(golden_of(golden, of), None, model("c", SCORES, labels=[1] * 6), Fairness(sample="s.csv"), of)
    assert judged.weight is None
    assert judged.source["sample"] == "s.csv"
    assert list(judged.rows.X.columns) == ["x"]
    assert judged.truth.tolist() == [True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x,sex\n1,m\n", "the fairness sample .*s.csv has no column 'y'; it has: x, sex"),
        ("x,y\n1,0\n", "the fairness sample .*s.csv has no column 'sex'"),
        ("x,sex,y\n", "the fairness sample .*s.csv has no rows"),
        ("x,sex,y\n1,m,1\n2,f,1\n", "the fairness sample has one class only, 1"),
        ("x,sex,y\n1,m,\n2,f,1\n", "1 of 2 labels in column 'y' of .*s.csv are missing"),
    ],
)
def test_a_sample_that_cannot_judge_is_said(tmp_path: Any, text: str, sentence: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    of = settings_of(["sex"], base=tmp_path)
    with pytest.raises(CouldNotEvaluate, match=sentence):
        judged_rows(golden_of(FRAME, of), None, model("c", SCORES, threshold=0.5), Fairness(sample="s.csv"), of)

"""Row by row: what cannot be compared is an error, never a pass without a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.regression_pairs import negative_flips, score_moves
from pytest_mlgates.policy import RegressionPairs
from pytest_mlgates.rules import at_most
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

FRAME = pd.DataFrame({"a": np.arange(40.0)})


class Answers:
    """Stands for a model of scores, or of labels only."""

    threshold = 0.5

    def __init__(self, values: Any, *, labels: bool = False) -> None:
        self._values, self._labels = np.asarray(values), labels

    def scores(self, rows: Any) -> Any:
        if self._labels:
            raise CouldNotEvaluate("it answers labels")
        return self._values

    def chosen(self, rows: Any) -> Any:
        return self._values


def golden(classes: tuple[str, ...] = ()) -> GoldenSet:
    return GoldenSet(FRAME, np.arange(40) % 2, FRAME[[]], None, None, "0" * 32, Path("golden.csv"), classes)


def settings(task: str) -> Settings:
    return Settings.model_validate({"model": "m", "golden": "g.csv", "label": "y", "task": task})


def test_a_regression_has_no_flips() -> None:
    same: Any = Answers(np.arange(40.0))
    with pytest.raises(CouldNotEvaluate, match="a regression has no decisions that could flip"):
        negative_flips(golden(), same, same, RegressionPairs(), settings("regression"))
    with pytest.raises(CouldNotEvaluate, match="write largest_move = "):
        score_moves(golden(), same, same, RegressionPairs(), settings("regression"))


def test_labels_flip_and_do_not_move() -> None:
    old: Any = Answers(np.arange(40) % 2, labels=True)
    new: Any = Answers(np.zeros(40, dtype=int), labels=True)
    policy, told = RegressionPairs(largest_move=0.1), settings("multiclass")
    whole, _ = negative_flips(golden(("a", "b")), old, new, policy, told)
    assert whole.value == 0.5
    with pytest.raises(CouldNotEvaluate, match="the models answer labels, so no score can move"):
        score_moves(golden(("a", "b")), old, new, policy, told)


def test_a_move_that_is_no_number_is_no_small_move() -> None:
    """The scores of a model are checked where they arrive; a NaN that came through all the same is an error."""
    old: Any = Answers(np.full(40, 0.5))
    new: Any = Answers([*np.full(39, 0.5), float("nan")])
    found = score_moves(golden(), old, new, RegressionPairs(largest_move=0.1), settings("binary"))
    assert at_most(0.1)(found).verdict is Verdict.ERROR


def test_what_was_right_and_is_wrong_is_negative_and_no_other_flip() -> None:
    """Row by row: right and right, right and wrong (negative), wrong and right, wrong and wrong."""
    truth = np.arange(40) % 2
    old = np.where(np.arange(40) // 2 % 2 == 0, truth, 1 - truth)
    new = np.where(np.arange(40) // 4 % 2 == 0, truth, 1 - truth)
    first: Any = Answers(np.where(old == 1, 0.9, 0.1))
    second: Any = Answers(np.where(new == 1, 0.8, 0.2))
    whole, worst = negative_flips(golden(), first, second, RegressionPairs(), settings("binary"))
    lost = float(((old == truth) & (new != truth)).mean())
    assert whole.value == lost > 0
    assert whole.details["flips"] == float((old != new).mean())
    assert whole.details["positive_flips"] == float((old != new).mean()) - lost
    assert worst is None

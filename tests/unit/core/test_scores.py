"""What a model may answer, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Answer
from pytest_mlgates.scores import as_classes, as_scores
from pytest_mlgates.settings import Settings


def settings(task: str = "binary", **keys: Any) -> Settings:
    return Settings.model_validate({"model": "m", "golden": "g", "label": "y", "task": task, **keys})


def scores(values: Any, *, method: str = "predict", classes: tuple = (), rows: int = 3, **keys: Any) -> np.ndarray:
    return as_scores(Answer(np.asarray(values), method, "pyfunc", classes), rows, settings(**keys), "m v2")


def test_the_column_of_the_positive_class() -> None:
    proba = [[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]]
    assert scores(proba, method="predict_proba", classes=(0, 1)).tolist() == [0.8, 0.4, 0.9]
    swapped = scores(proba, method="predict_proba", classes=("yes", "no"), positive_class="yes")
    assert swapped.tolist() == [0.2, 0.6, 0.1]


def test_one_score_a_row() -> None:
    assert scores([0.1, 0.5, 0.9]).tolist() == [0.1, 0.5, 0.9]
    assert scores([[0.1], [0.5], [0.9]]).tolist() == [0.1, 0.5, 0.9]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([0, 1, 1], "m v2 answers class labels, not scores"),
        ([0.0, 1.0, 1.0], "m v2 answers class labels, not scores"),
        ([1, 2, 3], "m v2 answers class labels, not scores"),
        (["a", "b", "a"], "m v2 answers text labels, not scores"),
        ([0.1, 0.2], "m v2 answered 2 rows for the 3 it was given"),
        (0.5, "m v2 answered a single value rows for the 3 it was given"),
        ([0.1, np.nan, 0.3], "m v2 answered NaN or infinity for 1 of 3 rows"),
        ([0.1, np.inf, -np.inf], "m v2 answered NaN or infinity for 2 of 3 rows"),
        ([[0.1, 0.2, 0.7]] * 3, "m v2 answered 3 values a row where one is needed"),
    ],
)
def test_what_is_no_score_is_refused(values: Any, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        scores(values)
    assert str(raised.value).startswith(sentence)


def test_probabilities_of_exactly_two_values_are_scores() -> None:
    """A stump may give two probabilities only; what predict_proba answers is taken at its word."""
    assert scores([0.3, 0.7, 0.3], method="predict_proba").tolist() == [0.3, 0.7, 0.3]


def test_a_model_that_does_not_know_the_positive_class() -> None:
    with pytest.raises(CouldNotEvaluate, match="knows the classes 'a', 'b', and positive_class = 1"):
        scores([[0.5, 0.5]] * 3, method="predict_proba", classes=("a", "b"))


def test_multiclass_needs_a_score_a_class() -> None:
    assert scores([[0.1, 0.2, 0.7]] * 3, task="multiclass").shape == (3, 3)
    with pytest.raises(CouldNotEvaluate, match="one value a row, not a score a class"):
        scores([0.1, 0.2, 0.7], task="multiclass")


class TestClasses:
    """Multiclass: columns follow the golden set's classes, and labels are enough where a metric needs no more."""

    GOLDEN = ("cat", "dog", "eel")

    def columns(self, values: Any, classes: tuple = (), golden: tuple = GOLDEN) -> np.ndarray:
        answer = Answer(np.asarray(values), "predict_proba", "sklearn", classes)
        return as_scores(answer, len(values), settings("multiclass"), "m v2", golden)

    def chosen(self, values: Any, classes: tuple = (), golden: tuple = GOLDEN) -> list[int]:
        answer = Answer(np.asarray(values), "predict", "pyfunc", classes)
        return as_classes(answer, len(values), settings("multiclass"), "m v2", golden).tolist()

    def test_columns_are_put_in_the_order_of_the_golden_set(self) -> None:
        given = [[0.5, 0.3, 0.2]]
        assert self.columns(given, ("eel", "cat", "dog")).tolist() == [[0.3, 0.2, 0.5]]
        assert self.columns([[0.1, 0.2, 0.3, 0.4]], ("ape", "cat", "dog", "eel")).tolist() == [[0.2, 0.3, 0.4, 0.1]]
        assert self.columns(given).tolist() == given, "without names in the order they come"

    def test_labels_become_places(self) -> None:
        assert self.chosen(["dog", "cat", "eel", "ape"]) == [1, 0, 2, 3]
        assert self.chosen([[2.0], [1.0]], golden=(1, 2)) == [1, 0]
        assert self.chosen([[0.5, 0.3, 0.2]], ("eel", "cat", "dog")) == [2]

    @pytest.mark.parametrize(
        ("values", "classes", "sentence"),
        [
            (
                [[0.5, 0.5]],
                ("cat", "dog"),
                "the golden set has rows of 'eel', which m v2 was not taught: it knows the classes 'cat', 'dog'",
            ),
            ([[0.5, 0.5]], (), "m v2 answers 2 scores a row without saying of which classes, and the golden set has 3"),
        ],
    )
    def test_a_class_the_model_does_not_know(self, values: Any, classes: tuple, sentence: str) -> None:
        with pytest.raises(CouldNotEvaluate) as raised:
            self.columns(values, classes)
        assert str(raised.value).startswith(sentence)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ([0, 1, 2], "m v2 answers 0, 1, 2, none of which is a label of the golden set, whose labels are 'cat', 'd"),
            ([1.0, np.nan], "m v2 answered NaN or infinity for 1 of 2 rows"),
        ],
    )
    def test_labels_of_something_else(self, values: Any, sentence: str) -> None:
        with pytest.raises(CouldNotEvaluate) as raised:
            self.chosen(values)
        assert str(raised.value).startswith(sentence)

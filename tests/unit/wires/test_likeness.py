"""Like is compared with like: labels with labels, scores with scores."""

from __future__ import annotations

import math

import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.wires.likeness import closest, declared

KINDS = [("labels", [0, 1, 1]), ("scores", [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]), ("scores", [0.1, 0.6, 0.8])]


@pytest.mark.parametrize(
    ("found", "kind", "worst"),
    [
        ([0, 1, 1], "labels", 0),
        ([0.0, 1.0, 1.0], "labels", 0),
        ([0.1, 0.6, 0.8], "scores", 0),
        ([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], "scores", 0),
        ([[0.1], [0.6], [0.8]], "scores", 0),
        (["0.1", "0.6", "0.8"], "scores", 0),
        ([0.1, 0.6, 0.88], "scores", 0.1),
        ([0.1, 0.600001, 0.8], "scores", 0.000001 / 0.6),
        ([1, 1, 1], "labels", 1),
    ],
)
def test_the_nearest_kind_of_output_is_compared_with(found: list[object], kind: str, worst: float) -> None:
    said, deviations = closest(found, KINDS, "it")
    assert said == kind
    assert max(deviations) == pytest.approx(worst)


@pytest.mark.parametrize("own", [[0.1, float("nan")], [[0.9, 0.1], [0.4, float("nan")]]])
def test_a_model_that_answers_no_number_is_like_nothing(own: list[object]) -> None:
    """NaN is greater than no tolerance, so it must not be what is held against one."""
    found = [[0.9, 0.1], [0.4, 0.6]] if isinstance(own[0], list) else [0.1, 0.6]
    assert closest(found, [("scores", own)], "it") == ("scores", [0.0, math.inf])


def test_text_labels() -> None:
    assert closest(["a", "c"], [("labels", ["a", "b"])], "it") == ("labels", [0.0, 1.0])


def test_another_number_of_values_is_no_deviation_but_another_model() -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        closest([[1, 2, 3]] * 3, KINDS, "it")
    assert str(raised.value) == (
        "it answers 3 values a row, the model itself gives labels (1 value) or scores (2 values) or scores (1 value)"
    )


def test_what_is_declared_is_what_is_compared_with() -> None:
    assert declared(KINDS, "auto", "it") == KINDS
    assert [kind for kind, _ in declared(KINDS, "scores", "it")] == ["scores", "scores"]
    kind, deviations = closest([0.1, 0.6, 0.8], declared(KINDS, "labels", "it"), "it")
    assert (kind, deviations) == ("labels", [1.0, 1.0, 1.0])
    with pytest.raises(CouldNotEvaluate) as raised:
        declared(KINDS[:1], "scores", "it")
    assert str(raised.value) == 'output = "scores" is declared for it, but the model itself gives labels only'

"""What counts as the same value on both sides, and how the first that is not is told."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.parity import diverging, same
from pytest_mlgates.policy import Parity

ROWS = pd.DataFrame({"customer": ["a", "b", "c"]})
PLAIN = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text()


class Said:
    """A side that answers what it was told to."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self._rows = list(rows)

    def features(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        return self._rows


def compared(ours: Said, theirs: Said, **policy: Any) -> Any:
    return diverging(ROWS, ours, theirs, Parity(rows="r.csv", transform="f:f", serving="f:g", **policy))


@given(PLAIN)
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, value, 0.0001)


@given(PLAIN.filter(lambda value: value is not None))
def test_missing_is_the_same_as_missing_only(value: Any) -> None:
    assert not same(None, value, 0.0001)
    assert not same(value, None, 0.0001)


@given(st.floats(1e-3, 1e9), st.floats(-0.5, 0.5))
def test_numbers_are_the_same_within_the_tolerance(value: float, off: float) -> None:
    assert same(value, value * (1 + off), 0.0001) == (abs(value - value * (1 + off)) <= 0.0001 * value)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(1, "1"), (math.inf, -math.inf), (math.inf, 1e300), (0, 1e-3), ("a", "A"), (1.0, math.nan), ([1], (1,))],
)
def test_these_are_not_the_same(ours: Any, theirs: Any) -> None:
    assert not same(ours, theirs, 0.0001)


def test_the_first_field_in_trainings_order_is_named_with_both_values() -> None:
    ours = Said(*({"age": 30.0, "region": "north"} for _ in range(3)))
    theirs = Said({"region": "north", "age": 30.0}, {"region": None, "age": 31.0}, {"region": "north", "age": 31.0})
    found = compared(ours, theirs, key="customer")
    assert (found.value, found.n, found.where) == (2, 3, "age")
    assert found.details["diverging"] == [
        "age: 30.0 in training, 31.0 at serving, customer b; 2 of 3 rows",
        "region: 'north' in training, missing at serving, customer b; 1 of 3 rows",
    ]


def test_a_field_that_serving_does_not_answer_diverges_and_one_too_many_is_shown() -> None:
    ours, theirs = Said(*[{"age": 1}] * 3), Said({"extra": 1, "age": 1}, {"extra": 1}, {"age": 1})
    found = compared(ours, theirs)
    assert found.details["diverging"] == ["age: 1 in training, not answered, row 1; 1 of 3 rows"]
    assert found.details["only at serving"] == ["extra"]


def test_no_features_at_all_prove_nothing() -> None:
    with pytest.raises(CouldNotEvaluate, match="makes no features"):
        compared(Said({}, {}, {}), Said({}, {}, {}))

"""Which rows belong to which group: every row to exactly one, missing values and small groups included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.fairness.group_rows import Grouping, groupings, pooled, share_gap, shares


def one(values: Any, name: str = "g") -> Grouping:
    return groupings(pd.DataFrame({name: values}))[0]


def named(grouping: Grouping) -> list[str]:
    return [grouping.names[code] for code in grouping.codes]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", None], ["b", "a", "(missing)"]),
        ([2.0, 10.0, float("nan")], ["2", "10", "(missing)"]),
        ([True, False, True], ["True", "False", "True"]),
        (np.array([-128, 127, 0], dtype=np.int8), ["-128", "127", "0"]),
        (np.array([2**63, 2**63 + 1], dtype=np.uint64), ["9223372036854775808", "9223372036854775809"]),
        (np.array([1, 10**9, 1]), ["1", "1000000000", "1"]),
        (pd.Categorical(["x", "y", "x"], categories=["y", "x", "never"]), ["x", "y", "x"]),
        (pd.array([1, None, 3], dtype="Int64"), ["1", "(missing)", "3"]),
        ([1.5, 2.0, 1.5], ["1.5", "2", "1.5"]),
    ],
)
def test_groups_are_the_values_in_words(values: Any, expected: list[str]) -> None:
    assert named(one(values)) == expected


def test_groups_come_in_order_numbers_by_size_and_missing_last() -> None:
    assert one([10, 9, 2]).names == ("2", "9", "10")
    assert one(["b", None, "a"]).names == ("a", "b", "(missing)")


@given(st.lists(st.sampled_from(["a", "b", None, "c"]), min_size=1), st.lists(st.integers(0, 3), min_size=1))
def test_every_row_belongs_to_one_group_of_every_grouping(words: list[Any], numbers: list[int]) -> None:
    n = min(len(words), len(numbers))
    frame = pd.DataFrame({"w": pd.Series(words[:n], dtype=object), "k": numbers[:n]})
    found = groupings(frame, [("w", "k")])
    assert [grouping.name for grouping in found] == ["w", "k", "w & k"]
    for grouping in found:
        assert sum(grouping.sizes()) == n
        assert min(grouping.sizes()) > 0
    assert named(found[2]) == [f"{a} & {b}" for a, b in zip(named(found[0]), named(found[1]), strict=True)]


def test_small_groups_are_pooled_by_name_and_the_reference_never() -> None:
    grouping = one(["a"] * 10 + ["b"] * 2 + ["c"] * 3 + ["d"])
    assert pooled(grouping, 0) is grouping
    found = pooled(grouping, 4)
    assert found.names == ("a", "pooled: b, c, d")
    assert found.sizes() == [10, 6]
    kept = pooled(grouping, 4, keep="c")
    assert (kept.names, kept.sizes()) == (("a", "c", "pooled: b, d"), [10, 3, 3])
    assert pooled(grouping, 2) is grouping, "one small group alone keeps its name"


def test_shares_and_how_far_they_are_off() -> None:
    grouping = one(["m", "m", "m", "f"])
    assert shares(grouping, None) == {"f": 0.25, "m": 0.75}
    assert shares(grouping, np.array([1.0, 1.0, 1.0, 3.0])) == {"f": 0.5, "m": 0.5}
    gap, worst = share_gap({"f": 0.25, "m": 0.75}, {"m": 0.5, "f": 0.4, "x": 0.1})
    assert (gap, worst) == (pytest.approx(0.25), "m")
    assert share_gap({"f": 0.5, "m": 0.5}, {"m": 0.5, "f": 0.5})[0] == 0


@pytest.mark.parametrize(
    ("values", "crossed", "sentence"),
    [
        (range(51), (), "the sensitive column 'g' has 51 values, more than 50 groups: add a column of groups"),
        (np.linspace(0, 1, 60), (), "has 60 values"),
        ([1, "1"], (), "the sensitive column 'g' has 1 both as text and as a number: write one of them"),
        ([1, 2], [("g", "h")], "crossed names a column 'h' that is not sensitive"),
    ],
)
def test_what_is_no_group_is_said(values: Any, crossed: Any, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate, match=sentence):
        groupings(pd.DataFrame({"g": values}), crossed)


def test_no_sensitive_column_is_said() -> None:
    with pytest.raises(CouldNotEvaluate, match="the settings name no column of them"):
        groupings(pd.DataFrame(index=range(3)))

"""Which rows a declared slice holds, and what a wrong declaration says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.measure.slices.rows import declared_slices
from pytest_mlgates.policy import Slices
from pytest_mlgates.validation import read

from .conftest import golden_of

FRAME = pd.DataFrame(
    {"region": ["n", "n", "s", None], "age": [20.0, 40.0, 60.0, np.nan], "smokes": [True, False, True, False]}
)
GOLDEN = golden_of(FRAME, np.array([0, 1, 0, 1]), sensitive=pd.DataFrame({"sex": [1, 2, 1, 2]}))


def rows_of(**keys: object) -> dict[str, list[int]]:
    policy = read(Slices, keys, {}, "here")
    return {part.name: np.flatnonzero(part.rows).tolist() for part in declared_slices(GOLDEN, policy)}


def test_each_value_of_a_column_is_a_slice_and_so_are_its_missing_values() -> None:
    assert rows_of(columns=["region", "smokes"]) == {
        "region=n": [0, 1],
        "region=s": [2],
        "region missing": [3],
        "smokes=False": [1, 3],
        "smokes=True": [0, 2],
    }


def test_bins_hold_every_row_once() -> None:
    assert rows_of(bins={"age": [30, 60]}) == {
        "age<30": [0],
        "30<=age<60": [1],
        "age>=60": [2],
        "age missing": [3],
    }


def test_intersections_use_bins_and_leave_out_what_does_not_occur() -> None:
    found = rows_of(crossed=[["smokes", "age"]], bins={"age": [50]})
    assert {name: rows for name, rows in found.items() if "&" in name} == {
        "smokes=False & age<50": [1],
        "smokes=False & age missing": [3],
        "smokes=True & age<50": [0],
        "smokes=True & age>=50": [2],
    }


def test_predicates_select_rows() -> None:
    assert rows_of(where={"older smokers": "smokes and age > 30"}) == {"older smokers": [2]}


def test_with_nothing_declared_the_sensitive_groups_are_the_slices() -> None:
    assert rows_of() == {"sex=1": [0, 2], "sex=2": [1, 3]}
    assert rows_of(columns=["sex"]) == rows_of()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"columns": ["regoin"]},
            "slices name a column 'regoin' that neither the models receive nor `sensitive`: did you mean 'region'?",
        ),
        ({"bins": {"region": [1]}}, "slices: bins need numbers, and column 'region' holds "),
        ({"bins": {"age": [0]}}, "slice 'age<0' is empty: no row of the golden set belongs to it"),
        ({"where": {"old": "age > 99"}}, "slice 'old' is empty: no row of the golden set belongs to it"),
        ({"where": {"old": "agee > 9"}}, "slice 'old': 'agee > 9' cannot be evaluated on the golden set (Undefined"),
        ({"where": {"old": "age >"}}, "slice 'old': 'age >' cannot be evaluated on the golden set (SyntaxError"),
        ({"where": {"old": "age + 1"}}, "slice 'old': 'age + 1' says no yes or no a row; write e.g. 'age < 30'"),
        ({"where": {"old": "b = age > 1"}}, "slice 'old': 'b = age > 1' says no yes or no a row"),
        (
            {"columns": ["region"], "required": ["regionn"]},
            "the required slice 'regionn' does not exist: did you mean 'region=n'?",
        ),
    ],
)
def test_a_wrong_declaration_is_one_sentence(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate) as problem:
        rows_of(**keys)
    assert str(problem.value).startswith(sentence)
    assert "\n" not in str(problem.value)


def test_a_column_with_many_values_asks_for_bins() -> None:
    golden = golden_of(pd.DataFrame({"age": range(60)}), np.arange(60) % 2)
    with pytest.raises(CouldNotEvaluate, match=r"column 'age' has 60 values; give edges instead: bins = \{age = "):
        declared_slices(golden, Slices(columns=("age",)))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"bins": {"age": [50, 30]}}, "the edges of 'age' must ascend: [50.0, 30.0]"),
        ({"where": {"x": "@os.system('true') == 0"}}, "'x' may compare columns and values only, without @ and __"),
        ({"where": {"x": "age.__class__ == 0"}}, "'x' may compare columns and values only, without @ and __"),
        ({"colums": ["age"]}, "unknown key 'colums' in here: did you mean 'columns'?"),
        ({"crossed": [["age"]]}, "crossed.0 in here cannot be ['age']"),
    ],
)
def test_a_wrong_policy_is_a_usage_error(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as problem:
        rows_of(**keys)
    assert sentence in str(problem.value)

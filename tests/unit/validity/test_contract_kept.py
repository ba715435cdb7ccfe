"""The contract: what freeze writes is kept by what it was frozen from, and every breach is named by its column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from by_hand import golden_of

from pytest_mlgates.contract import Column, Contract, load, parsed, place_of
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.golden.columns import frozen, seen
from pytest_mlgates.measure.golden.contract import inputs, kept


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, 200),
            "code": np.arange(200) % 3,
            "income": rng.normal(size=200).round(3),
            "debt": np.where(np.arange(200) < 10, np.nan, np.arange(200.0)),
            "town": np.where(np.arange(200) % 2, "Bonn", "Ulm"),
            "kind": pd.Categorical(np.where(np.arange(200) % 4, "a", "b")),
            "member": np.arange(200) % 2 == 0,
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(200), unit="D"),
            "y": np.arange(200) % 2,
        }
    )


@pytest.fixture
def golden(tmp_path: Path) -> GoldenSet:
    """A golden set with its contract beside it."""
    made = golden_of(rows(), path=tmp_path / "golden.csv")
    place_of(made.path).write_text(frozen(made.X, made.classes, made.version).to_json())
    return made


def breaches(golden: GoldenSet, frame: pd.DataFrame, **more: object) -> dict[str, str]:
    """Column -> what the gate says of it, for `frame` judged by the contract of `golden`."""
    whole, *broken = kept(golden_of(frame, path=golden.path, **more))
    assert whole.value == (0 if broken else 1)
    assert all(evidence.value == 0 for evidence in broken)
    return {evidence.where: evidence.details["reason"] for evidence in broken}


def test_freeze_writes_kinds_ranges_and_vocabularies(golden: GoldenSet) -> None:
    text = place_of(golden.path).read_text()
    written = json.loads(text)
    age, income = golden.X.age, golden.X.income
    assert (written["version"], written["golden"], written["label"]) == (1, "v" * 32, [0, 1])
    assert written["columns"] == {
        "age": {"kind": "integer", "nulls": 0.0, "low": age.min(), "high": age.max()},
        "code": {"kind": "integer", "nulls": 0.0, "values": [0, 1, 2]},
        "income": {"kind": "number", "nulls": 0.0, "low": income.min(), "high": income.max()},
        "debt": {"kind": "integer", "nulls": 0.099, "low": 10.0, "high": 199.0},
        "town": {"kind": "text", "nulls": 0.0, "values": ["Bonn", "Ulm"]},
        "kind": {"kind": "text", "nulls": 0.0, "values": ["a", "b"]},
        "member": {"kind": "boolean", "nulls": 0.0, "values": [False, True]},
        "since": {"kind": "date", "nulls": 0.0},
    }
    assert len(text.splitlines()) == 4 + 8 + 3, "a line a column, so that a change is a line in a diff"


def test_what_was_frozen_keeps_its_contract(golden: GoldenSet) -> None:
    (evidence,) = kept(golden)
    assert (evidence.value, evidence.n) == (1, 200)
    assert evidence.details["reason"] == "all 8 columns keep the contract golden.contract.json"


def test_another_version_is_said(golden: GoldenSet) -> None:
    (evidence,) = kept(golden_of(rows(), path=golden.path, version="w" * 32))
    assert evidence.details["reason"].endswith("golden.contract.json (frozen from version vvvvvvvv)")


BREACHES = {
    "missing": (lambda f: f.drop(columns="age"), "age", "column 'age' of the contract is missing in the golden set"),
    "extra": (lambda f: f.assign(agee=1), "agee", "column 'agee' is not in the contract: did you mean 'age'?"),
    "text for a number": (
        lambda f: f.assign(age=f.age.astype(str)),
        "age",
        "'age' holds text values, the contract says integer",
    ),
    "fractions for whole numbers": (
        lambda f: f.assign(age=f.age + 0.5),
        "age",
        "'age' holds number values, the contract says integer",
    ),
    "a gap": (
        lambda f: f.assign(age=f.age.where(f.index != 3)),
        "age",
        "'age' has 0.50% nulls, the contract allows 0.00%",
    ),
    "more gaps": (
        lambda f: f.assign(debt=f.debt.where(f.index >= 40)),
        "debt",
        "'debt' has 20.00% nulls, the contract allows 9.90%",
    ),
    "all gaps": (
        lambda f: f.assign(debt=np.nan),
        "debt",
        "'debt' has 100.00% nulls, the contract allows 9.90%",
    ),
    "above": (
        lambda f: f.assign(age=f.age.where(f.index != 3, 120)),
        "age",
        "'age' reaches from 18 to 120, the contract says 18 to 89",
    ),
    "below": (
        lambda f: f.assign(age=f.age.where(f.index != 3, -1)),
        "age",
        "'age' reaches from -1 to 89, the contract says 18 to 89",
    ),
    "a new code": (
        lambda f: f.assign(code=f.code.where(f.index >= 2, 7)),
        "code",
        "'code' holds 7 (2 rows), which the contract's vocabulary lacks",
    ),
    "a new word": (
        lambda f: f.assign(town=f.town.where(f.index != 0, "Köln")),
        "town",
        "'town' holds 'Köln' (1 rows), which the contract's vocabulary lacks",
    ),
    "free text": (
        lambda f: f.assign(town=[f"t{i}" for i in f.index]),
        "town",
        "'town' holds 't0' (1 rows), 't1' (1 rows), 't10' (1 rows), 't100' (1 rows), 't101' (1 rows) and 195 more, "
        "which the contract's vocabulary lacks",
    ),
    "amounts for codes": (
        lambda f: f.assign(code=f.index),
        "code",
        "'code' holds far more values than the 3 of the contract",
    ),
    "infinity": (
        lambda f: f.assign(income=f.income.where(f.index != 0, np.inf)),
        "income",
        f"'income' reaches from {rows().income.min()} to inf, the contract says "
        f"{rows().income.min()} to {rows().income.max()}",
    ),
}


@pytest.mark.parametrize("what", BREACHES)
def test_a_breach_is_named_by_its_column(golden: GoldenSet, what: str) -> None:
    change, column, said = BREACHES[what]
    assert breaches(golden, change(rows())) == {column: said}


def test_several_breaches_are_all_named(golden: GoldenSet) -> None:
    frame = rows().drop(columns="member").assign(age=lambda f: f.age.where(f.index != 3, 120).where(f.index != 4))
    assert breaches(golden, frame) == {
        "age": "'age' has 0.50% nulls, the contract allows 0.00%; "
        "'age' reaches from 18 to 120, the contract says 18 to 89",
        "member": "column 'member' of the contract is missing in the golden set",
    }


def test_a_new_label_is_named(golden: GoldenSet) -> None:
    said = breaches(golden, rows(), classes=(0, 1, 2))
    assert said == {"label": "the labels 2 are not in the contract's"}


def test_whole_numbers_do_where_numbers_are_promised(golden: GoldenSet) -> None:
    assert breaches(golden, rows().assign(income=0)) == {}


def test_whole_numbers_with_gaps_are_whole_numbers() -> None:
    assert seen(pd.Series([1.0, np.nan, 3.0])).kind == "integer"
    assert seen(pd.Series([1.5, np.nan])).kind == "number"
    assert seen(pd.Series([np.nan, np.nan])).kind == "number"
    assert seen(pd.Series([1e30, 2.0])).kind == "number"
    assert seen(pd.Series([1, None], dtype="Int64")).kind == "integer"
    assert seen(pd.Series([True, None], dtype=object)).kind == "boolean"
    assert seen(pd.Series(["a", 1], dtype=object)).kind == "other"


class TestModelInputs:
    """What the signature asks for."""

    def asks(self, golden: GoldenSet, tmp_path: Path, *columns: dict[str, object]) -> dict[str, str]:
        text = json.dumps({"signature": {"inputs": json.dumps(columns)}})
        (tmp_path / "MLmodel").write_text(text)
        whole, *broken = inputs(golden, str(tmp_path), "m v2")
        assert whole.value == (0 if broken else 1)
        return {"": whole.details["reason"]} | {e.where: e.details["reason"] for e in broken}

    def test_inputs_that_are_promised(self, golden: GoldenSet, tmp_path: Path) -> None:
        given = [("age", "long"), ("income", "double"), ("code", "double"), ("town", "string"), ("member", "boolean")]
        said = self.asks(golden, tmp_path, *({"name": n, "type": t, "required": True} for n, t in given))
        assert said == {"": "5 inputs of m v2 are in the contract"}

    def test_an_input_that_the_contract_lacks(self, golden: GoldenSet, tmp_path: Path) -> None:
        said = self.asks(golden, tmp_path, {"name": "age", "type": "long"}, {"name": "incom", "type": "double"})
        assert said == {
            "": "1 of 2 inputs of m v2 are not in the contract",
            "incom": "m v2 asks for column 'incom', which the contract lacks: did you mean 'income'?",
        }

    def test_an_input_of_another_kind(self, golden: GoldenSet, tmp_path: Path) -> None:
        said = self.asks(golden, tmp_path, {"name": "income", "type": "long"})
        assert said["income"] == "m v2 asks for 'income' as integer, the contract says number"

    def test_an_input_that_may_be_left_out(self, golden: GoldenSet, tmp_path: Path) -> None:
        named = {"name": "age", "type": "long"}
        said = self.asks(golden, tmp_path, named, {"name": "zip", "type": "string", "required": False})
        assert said == {"": "1 inputs of m v2 are in the contract"}

    @pytest.mark.parametrize(
        "text", ["flavors: {}", '{"signature": {"inputs": "[{\\"type\\": \\"tensor\\"}]"}}', '{"signature": null}']
    )
    def test_a_model_that_names_no_columns_is_not_judged(self, golden: GoldenSet, tmp_path: Path, text: str) -> None:
        (tmp_path / "MLmodel").write_text(text)
        assert inputs(golden, str(tmp_path), "m v2") == []

    @pytest.mark.parametrize("text", ["[1]", '{"signature": {"inputs": "["}}', "{", None])
    def test_a_description_that_cannot_be_read(self, golden: GoldenSet, tmp_path: Path, text: str | None) -> None:
        if text is not None:
            (tmp_path / "MLmodel").write_text(text)
        with pytest.raises(CouldNotEvaluate, match=r"the signature of m v2 in .*MLmodel cannot be read: "):
            inputs(golden, str(tmp_path), "m v2")


class TestFile:
    """A contract that people edit."""

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ([], "here must hold a table with version and columns, not list"),
            ({"columns": {"a": {"kind": "text"}}}, "'version' is missing in here: write \"version\": 1"),
            ({"version": 2, "columns": {"a": {"kind": "text"}}}, "version in here must be one of 1, not 2"),
            ({"version": 1}, "'columns' is missing in here: run `mlgates golden freeze`"),
            ({"version": 1, "columns": {}}, "columns in here cannot be a table with nothing in it"),
            ({"version": 1, "column": {}}, "unknown key 'column' in here: did you mean 'columns'?"),
            ({"version": 1, "columns": {"a": "text"}}, "column 'a' in here must be a table such as {\"kind\": "),
            (
                {"version": 1, "columns": {"a": {"kind": "text", "null": 0}}},
                "unknown key 'null' in column 'a' of here: did you mean 'nulls'?",
            ),
            (
                {"version": 1, "columns": {"a": {"kind": "int"}}},
                "kind in column 'a' of here must be one of 'boolean', 'integer', 'number', 'text', 'date' or 'other', "
                "not 'int'",
            ),
            (
                {"version": 1, "columns": {"a": {"kind": "number", "low": 2, "high": 1}}},
                "wrong in column 'a' of here: low (2) is above high (1)",
            ),
            ({"version": 1, "columns": {"a": {"kind": "text", "low": 2}}}, "low and high are for numbers, not for"),
            ({"version": 1, "columns": {"a": {"kind": "text", "nulls": 2}}}, "nulls in column 'a' of here cannot be 2"),
        ],
    )
    def test_a_wrong_one_is_one_sentence(self, data: object, said: str) -> None:
        with pytest.raises(UsageError) as problem:
            parsed(data, "here")
        assert said in str(problem.value)
        assert "\n" not in str(problem.value)

    def test_none_at_all_names_the_command(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotEvaluate) as problem:
            load(tmp_path / "golden.parquet")
        assert str(problem.value) == (
            f"there is no golden contract {tmp_path}/golden.contract.json: run `mlgates golden freeze`, look at what "
            "it wrote, and commit it"
        )

    @pytest.mark.parametrize("suffix", ["json", "yaml"])
    def test_one_that_is_broken_is_named(self, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"golden.contract.{suffix}").write_text("{")
        with pytest.raises(UsageError, match=f"golden.contract.{suffix} is not {suffix.upper()} "):
            load(tmp_path / "golden.parquet")

    def test_yaml_is_read_too(self, tmp_path: Path) -> None:
        (tmp_path / "golden.contract.yaml").write_text("version: 1\ncolumns:\n  a: {kind: text, values: [x, y]}\n")
        assert load(tmp_path / "golden.csv") == Contract(
            version=1, columns={"a": Column(kind="text", values=("x", "y"))}
        )

    def test_what_is_written_reads_as_the_same(self, golden: GoldenSet) -> None:
        assert load(golden.path) == frozen(golden.X, golden.classes, golden.version)

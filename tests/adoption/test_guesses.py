"""What is guessed, and what is not: each guess is a value and the reason for it."""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adoption import columns, files, registered, table
from pytest_mlgates.adoption.guess import Registered
from pytest_mlgates.adoption.plan import Answers, Guess, made
from pytest_mlgates.commands import init
from pytest_mlgates.errors import UsageError


def one(**aliases: str) -> Registered:
    return Registered("m", {name.replace("_", "-"): number for name, number in aliases.items()}, newest="3")


def test_the_alias_that_serves_and_the_one_that_wants_to() -> None:
    assert registered.champion(one(Production="2", blue="3")).value == "Production"
    assert registered.challenger(one(prod="1", candidate="3"), "prod").value == "candidate"
    assert registered.challenger(one(prod="1", blue="3"), "prod").value == "blue"
    assert registered.challenger(one(prod="1", blue="3", green="2"), "prod").value is None
    assert registered.champion(one(blue="2")).why == "'m' has the aliases 'blue'"
    staged = Registered("m", {}, {"Production": "4", "Staging": "5"}, "5")
    assert registered.champion(staged).value == "stage:Production"
    assert registered.challenger(staged, "stage:Production").value == "stage:Staging"


def test_of_several_models_the_one_that_serves() -> None:
    idle = Registered("idle", newest="1")
    assert registered.model([idle, one(champion="1")], "x").value == "m"
    assert (
        registered.model([idle, Registered("b")], "sqlite:///a.db").why == "sqlite:///a.db has the models 'idle', 'b'"
    )
    assert registered.model([], "sqlite:///a.db").why == "sqlite:///a.db has no registered model"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["data/golden.parquet", "data/test.csv"], "data/golden.parquet"),
        (["data/train.parquet", "data/test.parquet"], "data/test.parquet"),
        (["a/holdout.csv", "b/holdout.csv.dvc"], "b/holdout.csv"),
        (["golden_train.csv"], None),
        (["latest.parquet", "contest.csv"], None),
        (["test_a.csv", "test_b.csv"], None),
        ([".hidden/golden.csv", "venv/golden.csv"], None),
    ],
)
def test_the_golden_set_is_named_like_one(tmp_path: Path, names: list[str], found: str | None) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert files.golden(tmp_path).value == found


def test_a_database_that_is_no_registry_is_passed_by(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sales.db")) as database:
        database.execute("create table sales (a)")
    (tmp_path / "broken.db").write_bytes(b"no database")
    assert not files.registry(tmp_path)
    with closing(sqlite3.connect(tmp_path / "m.db")) as database:
        database.execute("create table registered_models (a)")
    assert files.registry(tmp_path).value == "sqlite:///m.db"


FRAME = pd.DataFrame(
    {
        "customer_id": np.arange(6) // 2,
        "row_id": np.arange(6),
        "Sex": ["f", "m"] * 3,
        "income": np.linspace(0, 1, 6),
        "sample_weight": [1.0, 2.0] * 3,
        "churned": [0, 1] * 3,
    }
)


def test_the_signature_says_what_each_column_is_for() -> None:
    assert columns.label(FRAME, {"income"}).value == "churned"
    assert columns.roles(FRAME, "churned", {"income"}) == columns.Roles(
        ignore=("row_id", "Sex"), weight="sample_weight", group="customer_id", sensitive=("Sex",)
    )


def test_without_a_signature_only_plain_names_are_trusted() -> None:
    guess = columns.label(FRAME, None)
    assert guess.value is None
    assert guess.why.startswith("the model has no signature, and none of 'customer_id', 'row_id'")
    assert columns.label(FRAME.rename(columns={"churned": "Target"}), None).value == "Target"
    assert columns.roles(FRAME, "churned", None).ignore == ("row_id",)


@pytest.mark.parametrize(
    ("labels", "task", "positive"),
    [
        ([0, 1, 1], "binary", 1),
        ([True, False], "binary", True),
        (["no", "yes"], "binary", "yes"),
        (["benign", "malignant"], "binary", "malignant"),
        (["good", "bad stuff"], "binary", None),
        ([-1, 1], "binary", 1),
        (["a", "b", "c"], "multiclass", 1),
        ([0.5 * n for n in range(50)], "regression", 1),
        ([f"word {n}" for n in range(50)], None, 1),
    ],
)
def test_the_labels_say_the_task(labels: list[object], task: str | None, positive: object) -> None:
    column = pd.Series(labels)
    assert columns.task(column).value == task
    assert columns.positive_class(column).value == positive


def test_every_line_has_its_comment_and_means_what_was_found() -> None:
    values = {"model": "m", "golden": "g.csv", "gates": ["core"], "ignore": ("a", "b"), "env_lock.serving": "uv.lock"}
    text = table.text(values, {"golden": "pinned by DVC"})
    assert text.splitlines()[:3] == [
        "[tool.mlgates]",
        'model = "m"          # name of the registered model',
        'golden = "g.csv"     # rows with true labels that no training sees; DVC pins them (pinned by DVC)',
    ]
    assert tomllib.loads(text)["tool"]["mlgates"]["env_lock"] == {"serving": "uv.lock"}


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_name_breaks_out_of_its_line(name: str, why: str) -> None:
    text = table.text({"model": name, "label": "y"}, {"model": why})
    assert tomllib.loads(text)["tool"]["mlgates"] == {"model": name, "label": "y"}


def test_a_person_takes_what_was_found_with_one_key() -> None:
    said: list[str] = []
    answers = Answers({}, yes=False, ask=lambda question: said.append(question) or "")  # type: ignore[func-returns-value]
    assert answers.settle("model", Guess("tissue", "the only one")) == "tissue"
    assert said == ["name of the registered model [tissue]: "]
    with pytest.raises(UsageError, match="no answer for the name of the registered model; nothing was changed"):
        answers.settle("model", Guess(why="two"))


def test_a_ci_file_is_replaced_only_when_a_person_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    file = tmp_path / "Jenkinsfile"
    file.write_text("mine")
    given = argparse.Namespace(ci="jenkins")
    assert init._ci(tmp_path, given, lambda question: "n") == f"kept {file}"
    assert file.read_text() == "mine"
    assert init._ci(tmp_path, given, lambda question: "y").startswith(f"wrote {file}")


def test_without_a_signature_a_person_is_told_which_columns_the_model_will_be_given(
    template: Path, tmp_path: Path
) -> None:
    """`site` is no feature of that model, and nothing says so; the first run would fail without this hint."""
    for name in ("golden.csv", "golden.csv.dvc", "mlflow.db"):
        shutil.copy(template / name, tmp_path)
    answers = Answers({}, yes=True, ask=None)
    assert made(tmp_path, answers, {}).remarks == [
        "no signature is kept with the model, so it is given every other column ('site', 'x1', 'x2', 'x3', 'x4'): name "
        "in ignore those that it does not receive"
    ]

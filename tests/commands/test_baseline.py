"""`mlgates baseline` writes what the training data was like, and says what it left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.baseline.read import parsed
from pytest_mlgates.cli import main

SETTINGS = '[tool.mlgates]\nmodel = "m"\ngolden = "g.csv"\nlabel = "y"\ntask = "binary"\nignore = ["note"]\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"key": np.arange(900), "age": rng.integers(18, 90, 900), "note": "x", "y": 1})
    rows.to_parquet("train.parquet")


def test_it_writes_a_file_of_what_the_model_receives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "train.parquet"]) == 0
    made = parsed(Path("baseline.json").read_text(), "it")
    assert set(made.columns) == {"key", "age"}
    assert capsys.readouterr().out.replace(str(Path.cwd()), "HERE").splitlines() == [
        "HERE/train.parquet: 900 rows, 1 of 2 columns described",
        "  left out: key (nearly every row has a value of its own)",
        "wrote baseline.json",
    ]


def test_importances_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text('{"age": 0.7}')
    assert main(["baseline", "train.parquet", "--out", "b.json", "--importances", "weights.json"]) == 0
    assert json.loads(Path("b.json").read_text())["importances"] == {"age": 0.7}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.parquet"], "the training data HERE/none.parquet does not exist"),
        (
            ["train.parquet", "--importances", "pyproject.toml"],
            'pyproject.toml must be a JSON table of importances, such as {"age": 0.4}',
        ),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", *arguments]) == 2
    assert capsys.readouterr().err.replace(str(Path.cwd()), "HERE").strip() == f"mlgates baseline: {sentence}"
    assert not Path("baseline.json").exists()

"""`mlgates init` writes the five settings that matter, and nothing it was not asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pytest_mlgates import cli
from tests.commands.shell import mlgates

FULL = ["--model", "m", "--golden", "g.csv", "--label", "y", "--task", "binary"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "g.csv").write_text("x,y\n1,0\n")
    return tmp_path


def test_the_five_settings_are_appended_to_pyproject(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    done = mlgates(folder, "init", *FULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"wrote [tool.mlgates] to {folder}/pyproject.toml\n"
        "pin the golden set: dvc add g.csv\n"
        "the ledger is not made yet, the first promotion makes it: no registry: write "
        'registry = "sqlite:///mlflow.db" or set MLFLOW_TRACKING_URI\n'
        "next: pytest --mlgate\n"
    )
    written = tomllib.loads((folder / "pyproject.toml").read_text())
    assert written["project"] == {"name": "mine"}
    assert written["tool"]["mlgates"] == {
        "model": "m",
        "golden": "g.csv",
        "label": "y",
        "task": "binary",
        "gates": ["default"],
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (FULL[2:], "--model is missing and there is no terminal to ask on: give the name of the registered model"),
        (
            [*FULL[:3], "absent.csv", *FULL[4:]],
            "neither {folder}/absent.csv nor its pointer absent.csv.dvc exists: give the path of the golden set",
        ),
        ([*FULL[:-1], "binry"], "task must be binary, multiclass or regression, not 'binry'"),
    ],
)
def test_a_wrong_answer_changes_nothing(folder: Path, arguments: list[str], sentence: str) -> None:
    done = mlgates(folder, "init", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mlgates init: {sentence.format(folder=folder)}\n"
    assert not (folder / "pyproject.toml").exists()


def test_settings_that_exist_are_never_overwritten(folder: Path) -> None:
    mlgates(folder, "init", *FULL)
    before = (folder / "pyproject.toml").read_text()
    done = mlgates(folder, "init", *FULL)
    assert done.returncode == 2
    assert "settings exist already" in done.stderr
    assert (folder / "pyproject.toml").read_text() == before


def test_hostile_names_stay_names(folder: Path) -> None:
    name = 'a"\n[tool.x]\nb = "'
    assert mlgates(folder, "init", "--model", name, *FULL[2:]).returncode == 0
    assert tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["mlgates"]["model"] == name


def test_a_plain_file_is_pinned_when_asked(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True, timeout=20)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=folder, check=True, timeout=60)
    done = mlgates(folder, "init", *FULL, "--dvc-add")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "g.csv.dvc").is_file()
    assert "dvc add" not in done.stdout


def test_a_pin_that_fails_is_said_and_nothing_is_written(folder: Path) -> None:
    done = mlgates(folder, "init", *FULL, "--dvc-add")
    assert done.returncode == 2
    assert "`dvc add g.csv`" in done.stderr
    assert "not inside of a DVC repository" in done.stderr
    assert not (folder / "pyproject.toml").exists()


def in_registry(monkeypatch: pytest.MonkeyPatch, folder: Path, uri: str, model: str = "credit") -> int:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return cli.main(["init", "--model", model, *FULL[2:]])


def test_the_ledger_is_made_and_who_needs_which_right_is_said(
    folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = f"sqlite:///{shutil.copy(template / 'mlflow.db', folder)}"
    assert in_registry(monkeypatch, folder, uri) == 0
    assert (
        f"made the ledger 'credit.mlgates-ledger' in {uri}; whoever promotes needs EDIT on it and on 'credit'\n"
        in capsys.readouterr().out
    )
    assert cli.main(["status"]) == 0
    assert "no ledger was begun yet" in capsys.readouterr().out
    (folder / "pyproject.toml").unlink()
    assert in_registry(monkeypatch, folder, uri) == 0
    assert "the ledger is there already: 'credit.mlgates-ledger' in sqlite" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("uri", "model", "sentence"),
    [
        ("http://127.0.0.1:9", "credit", "the registry http://127.0.0.1:9 did not answer while looking up 'champion'"),
        ("sqlite:///{folder}/absent.db", "credit", "there is no file {folder}/absent.db"),
        ("sqlite:///{folder}/mlflow.db", "kredit", "no registered model 'kredit' in sqlite:///{folder}/mlflow.db: did"),
    ],
)
def test_a_registry_that_cannot_be_had_is_said_and_no_failure(
    folder: Path,
    template: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    uri: str,
    model: str,
    sentence: str,
) -> None:
    shutil.copy(template / "mlflow.db", folder)
    assert in_registry(monkeypatch, folder, uri.format(folder=folder), model) == 0
    said = capsys.readouterr().out
    assert "the ledger is not made yet, the first promotion makes it: " in said
    assert sentence.format(folder=folder) in said
    assert (folder / "pyproject.toml").is_file()

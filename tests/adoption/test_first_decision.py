"""From nothing to a decision in a repository that is not the demo, with no hand edit."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adoption.conftest import bare
from tests.docs.conftest import block
from tests.docs.pages import blocks, commands
from tests.docs.reference import DOCS

START = blocks((DOCS / "how-to" / "start.md").read_text())
FOUND = """\
found registry = 'sqlite:///store/tracking.db': a file with registered models
found model = 'tissue': the only registered model there
found champion = 'live': alias on version 1
found challenger = 'candidate': alias on version 2
found golden = 'samples/holdout.parquet': named like rows that no training sees
found label = 'diagnosis': named so, and no input of the model
found task = 'binary': two labels
found positive_class = 'malignant': of the labels 'benign', 'malignant'
found ignore = ('slide_id', 'clinic'): no input of the model
made a DVC repository here: commit .dvc
pinned the golden set: commit samples/holdout.parquet.dvc
"""


@pytest.mark.slow
def test_one_line_from_nothing_to_a_decision(
    elsewhere: Path, shell: Callable[..., Any], record_property: Callable[[str, object], None]
) -> None:
    (line,) = [one for one in commands(START["begin"]) if one.startswith("mlgates")]
    assert line == "mlgates init --yes && pytest --mlgate"
    done = shell(line)
    assert done.code == 0, done.out + done.err
    assert done.out.startswith(FOUND)
    assert "WOULD PROMOTE tissue v2 (add --mlgate-apply to do it): all 6 required gates passed against v1" in done.out
    record_property("commands", 2)
    record_property("seconds", round(done.seconds, 1))

    written = (elsewhere / "pyproject.toml").read_text()
    assert all("  # " in line for line in written.splitlines() if line and not line.startswith("["))
    assert tomllib.loads(written)["tool"]["mlgates"] == {
        "model": "tissue",
        "golden": "samples/holdout.parquet",
        "label": "diagnosis",
        "task": "binary",
        "positive_class": "malignant",
        "gates": ["default"],
        "registry": "sqlite:///store/tracking.db",
        "champion": "live",
        "challenger": "candidate",
        "ignore": ["slide_id", "clinic"],
    }
    contract = json.loads((elsewhere / "samples" / "holdout.contract.json").read_text())
    assert len(contract["columns"]) == 5
    assert contract["label"] == ["benign", "malignant"]

    # The README's lines are the same, and one more.
    *first, acts = [one for one in commands(block("own repository")) if not one.startswith("export")]
    assert " && ".join(first) == line
    promoted = shell(acts)
    assert promoted.code == 0, promoted.out
    assert "tissue v2 is 'live' now, replacing v1" in promoted.out


@pytest.mark.slow
def test_the_further_lines_of_the_page(settled: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(settled, tmp_path / "tissue"))
    for line in commands(START["further"]):
        done = bare(line, folder, tmp_path)
        assert done.code == 0, (line, done.out, done.err)
    assert (folder / ".github" / "workflows" / "mlgate.yml").is_file()


def test_without_yes_nothing_is_taken_for_granted(elsewhere: Path, shell: Callable[..., Any]) -> None:
    done = shell("mlgates init")
    assert done.code == 2
    assert done.err == (
        "mlgates init: --model is missing and there is no terminal to ask on: add --yes to take 'tissue' (the only "
        "registered model there), or give the name of the registered model\n"
    )
    assert not (elsewhere / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (
            "rm samples/holdout.parquet",
            "--golden cannot be guessed: of 'samples/training.csv' none is named like rows that no training sees "
            "(golden, holdout, test); give --golden, the golden set, a Parquet or CSV file",
        ),
        (
            "cp samples/training.csv samples/holdout2.csv; mv samples/holdout2.csv samples/holdout-b.csv",
            "--golden cannot be guessed: there are 'samples/holdout-b.csv', 'samples/holdout.parquet'; give --golden, "
            "the golden set, a Parquet or CSV file",
        ),
        (
            "cp store/tracking.db store/other.db",
            "--model cannot be guessed: there are 'store/other.db', 'store/tracking.db'; give --registry or "
            "MLFLOW_TRACKING_URI, or --model",
        ),
        (
            "rm store/tracking.db; mkdir mlruns",
            "--model cannot be guessed: MLFLOW_TRACKING_URI is not set and no file here is an MLflow database (the "
            "folder mlruns is no registry that a promotion can rely on); give --registry or MLFLOW_TRACKING_URI, or "
            "--model",
        ),
    ],
)
def test_what_cannot_be_guessed_is_one_sentence_that_names_the_option(
    elsewhere: Path, shell: Callable[..., Any], prepare: str, sentence: str
) -> None:
    done = shell(f"{prepare}; mlgates init --yes")
    assert (done.code, done.err) == (2, f"mlgates init: {sentence}\n")
    assert not (elsewhere / "pyproject.toml").exists()
    assert not (elsewhere / ".dvc").exists()


@pytest.mark.parametrize(
    ("kind", "file"),
    [("github", ".github/workflows/mlgate.yml"), ("gitlab", ".gitlab-ci.yml"), ("jenkins", "Jenkinsfile")],
)
def test_the_ci_file_asked_for_is_written_and_never_over_another(
    elsewhere: Path, shell: Callable[..., Any], kind: str, file: str
) -> None:
    (elsewhere / "mlgates.toml").write_text('model = "tissue"\n')
    done = shell(f"mlgates init --ci {kind}")
    assert (done.code, done.err) == (0, "")
    text = (elsewhere / file).read_text()
    assert "pytest --mlgate" in text
    again = shell(f"mlgates init --ci {kind}")
    assert again.code == 2
    sentence = f"{elsewhere / file} exists already and there is nobody to ask: remove it, or leave out --ci {kind}"
    assert again.err == f"mlgates init: {sentence}\n"
    assert (elsewhere / file).read_text() == text

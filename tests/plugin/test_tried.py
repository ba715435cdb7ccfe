"""What a model tries although it may not is no verdict, but in every document of the run: a reader sees it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrepo import Repo

sys.path.insert(0, str(Path(__file__).parents[1]))
from artifact.attempts import possible, save

TRIES = """
import mlflow, numpy as np, os, signal, socket
from mlflow.pyfunc import PythonModel

def tried(attempt):
    try:
        attempt()
    except OSError:
        pass

class Tries(PythonModel):
    def predict(self, context, model_input, params=None):
        tried(lambda: open("/etc/shadow"))
        tried(socket.socket)
        THEN
        return 1 / (1 + np.exp(-model_input[["x1", "x2", "x3"]].to_numpy().sum(axis=1)))

mlflow.models.set_model(Tries())
"""
SEEN = [
    {"held": True, "protection": "network", "what": "to open a socket"},
    {"held": True, "protection": "reading", "what": "to read /etc/shadow"},
]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if not possible():
        pytest.skip("this kernel has no Landlock 6 or no seccomp")
    folder, ends = tmp_path_factory.mktemp("tries"), {"tries": "pass", "dies": "os.kill(os.getpid(), signal.SIGKILL)"}
    return {name: save(folder / name, TRIES.replace("THEN", then)) for name, then in ends.items()}


def judged(repo: Repo, files: Path, *args: str) -> Any:
    """The model in `files` as the challenger."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{repo.path / 'mlflow.db'}")
    return repo.run("--mlgate-challenger", str(client.create_model_version("credit", str(files)).version), *args)


@pytest.mark.slow
def test_it_is_in_the_evidence_and_in_all_that_is_made_of_it(
    repo: Repo, saved: dict[str, Path], spread: list[str]
) -> None:
    run = judged(repo, saved["tries"], *spread)
    assert run.ret == 0  # nothing succeeded, so it is no reason to hold
    assert repo.evidence()["tried"] == {"challenger": SEEN}
    said = "the challenger tried to open a socket: refused (network)"
    assert said in run.text
    report = repo.path / ".mlgates" / "report"
    row = "| challenger (credit v13) | to read /etc/shadow: refused (reading) |"
    assert row in (report / "summary.md").read_text()
    page = (report / "report.html").read_text()
    assert "What models tried although they may not" in page
    assert "to read /etc/shadow: refused (reading)" in page


@pytest.mark.slow
def test_a_run_that_starts_no_model_says_the_same(repo: Repo, saved: dict[str, Path]) -> None:
    judged(repo, saved["tries"])
    first = repo.evidence()
    repo.run("--mlgate-challenger", "13")
    assert repo.evidence()["tried"] == first["tried"] == {"challenger": SEEN}


@pytest.mark.slow
def test_what_a_model_tried_before_it_died_is_known(repo: Repo, saved: dict[str, Path]) -> None:
    run = judged(repo, saved["dies"])
    assert run.ret == 10
    assert "SIGKILL" in repo.said_of("golden_regression")[1]
    assert repo.evidence()["tried"] == {"challenger": SEEN}


def test_what_is_kept_with_an_answer_is_told_in_words_that_stay_words(repo: Repo) -> None:
    """Also of a protection that this machine lacks."""
    for file in (repo.path / ".mlgates" / "cache").rglob("*.answer"):
        head, _, body = file.read_bytes().partition(b"\n")
        tried = [{"held": False, "protection": "writing", "what": "to write /<b>\x1b[2J|x"}]
        file.write_bytes(json.dumps({**json.loads(head), "tried": tried}).encode() + b"\n" + body)
    run = repo.run()
    assert run.ret == 0
    told = repo.evidence()["tried"]
    assert set(told) == {"challenger", "champion"}
    assert told["champion"][0]["held"] is False
    lacks = "this machine lacks the protection against it (writing)"
    assert f"the champion tried to write /<b>\\x1b[2J|x: {lacks}" in run.text
    page = (repo.path / ".mlgates" / "report" / "report.html").read_text()
    assert "/&lt;b&gt;" in page
    assert "/<b>" not in page


def test_of_models_that_try_nothing_it_says_so(repo: Repo) -> None:
    run = repo.run()
    assert repo.evidence()["tried"] == {}
    assert " tried " not in run.text
    assert "What models tried" not in (repo.path / ".mlgates" / "report" / "summary.md").read_text()

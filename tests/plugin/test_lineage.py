"""The gates `lineage` and `card` in a run, on a repository whose challenger was stamped."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlrepo import BETTER, CHAMPION, MODEL, WORSE, Repo, pin
from pytest_mlgates import fingerprint
from pytest_mlgates.origin import environment
from pytest_mlgates.origin.provenance import Provenance

GATES = ["core", "lineage"]
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgSign=false"]


def git(repo: Repo, *words: str) -> str:
    command = ["git", *IDENTITY, *words]
    done = subprocess.run(command, cwd=repo.path, check=True, capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


def tag(repo: Repo, version: str, tags: dict[str, str]) -> None:
    with contextlib.closing(repo.database()) as db, db:
        for key, value in tags.items():
            db.execute("delete from model_version_tags where version = ? and key = ?", (version, key))
            db.execute(
                "insert into model_version_tags (key, value, name, version) values (?, ?, ?, ?)",
                (key, value, MODEL, version),
            )


def facts(repo: Repo, column: str, version: str = BETTER) -> str:
    with contextlib.closing(repo.database()) as db:
        query = f"select {column} from model_versions where version = ?"
        return str(db.execute(query, (version,)).fetchone()[0])


@pytest.fixture
def stamped(repo: Repo) -> Repo:
    """The challenger says where it came from, and it is true."""
    pin(repo.write("train.csv", "x,y\n1,0\n"))
    git(repo, "init", "-q")
    git(repo, "add", "train.csv.dvc")
    git(repo, "commit", "-qm", "data")
    files = Path(facts(repo, "storage_location").removeprefix("file://"))
    said = Provenance(
        run_id=facts(repo, "run_id"),
        git_commit=git(repo, "rev-parse", "HEAD"),
        git_tree="clean",
        data="train.csv",
        data_md5=hashlib.md5(b"x,y\n1,0\n").hexdigest(),
        data_remote="../remote",
        environment=environment.digest(),
        digest=fingerprint.of_folder(files),
    )
    tag(repo, BETTER, said.tags())
    repo.settings(gates=GATES)
    return repo


def judgements(repo: Repo) -> list[dict[str, Any]]:
    return next(gate for gate in repo.evidence()["gates"] if gate["name"] == "lineage")["judgements"]


def test_a_stamped_version_is_promoted(stamped: Repo, spread: list[str]) -> None:
    run = stamped.apply(*spread)
    assert (run.ret, stamped.champion()) == (0, BETTER)
    assert "lineage traceable yes - recorded and true 5 PASS" in run.text
    (only,) = judgements(stamped)
    assert only["evidence"]["details"]["files"].startswith("files with SHA-256 ")
    stamped.on_page("lineage", "passing")


def test_a_version_that_was_never_stamped_is_held_before_anything_is_loaded(stamped: Repo) -> None:
    stamped.forget()
    run = stamped.apply("--mlgate-challenger", WORSE)
    assert (run.ret, stamped.champion()) == (1, CHAMPION)
    assert stamped.said_of("lineage") == (
        "FAIL",
        "v3 lacks the tags mlgates.run_id, mlgates.git_commit, mlgates.data, mlgates.data_md5, mlgates.data_remote, "
        "mlgates.environment, mlgates.digest: run `mlgates stamp 3`, or call stamp() in the training script",
    )
    assert stamped.said_of("is_new") == ("ERROR", "not run: identity is not proven (lineage)")
    stamped.on_page("lineage", "failing")
    assert not list((stamped.path / ".mlgates").rglob("*.npz"))


def test_workers_and_one_process_say_the_same(stamped: Repo) -> None:
    tag(stamped, BETTER, {"mlgates.data_md5": "a" * 32, "mlgates.digest": "d" * 64})
    seen = []
    for args in ([], ["-n", "2"]):
        assert stamped.run(*args).ret == 1
        seen.append(judgements(stamped))
    assert seen[0] == seen[1]
    assert [each["evidence"]["where"] for each in seen[0]] == ["data", "files"]


def test_changed_files_are_noticed(stamped: Repo) -> None:
    tag(stamped, BETTER, {"mlgates.digest": "d" * 64})
    assert stamped.run().ret == 1
    verdict, sentence = stamped.said_of("lineage")
    assert verdict == "FAIL"
    assert sentence.startswith("the files of v2 changed since it was stamped (SHA-256 dddddddddddd then, ")


def test_a_run_that_was_deleted(stamped: Repo) -> None:
    with contextlib.closing(stamped.database()) as db, db:
        db.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", (facts(stamped, "run_id"),))
    assert stamped.run().ret == 1
    assert "which is deleted: `mlflow runs restore --run-id " in stamped.said_of("lineage")[1]


def test_a_run_that_is_gone(stamped: Repo) -> None:
    with contextlib.closing(stamped.database()) as db, db:
        db.execute("update model_versions set run_id = ? where version = ?", ("0" * 32, BETTER))
    tag(stamped, BETTER, {"mlgates.run_id": "0" * 32})
    assert stamped.run().ret == 1
    sentence = f"v2 came from run {'0' * 32}, which does not exist: train it again"
    assert stamped.said_of("lineage") == ("FAIL", sentence)


def test_git_that_does_not_answer_is_an_error(stamped: Repo) -> None:
    (stamped.path / ".git").rename(stamped.path / "git")
    run = stamped.run()
    assert run.ret == 10
    verdict, sentence = stamped.said_of("lineage")
    assert verdict == "ERROR"
    assert sentence.startswith(f"git does not answer in {stamped.path}: fatal: not a git repository")


def test_a_waived_lineage_lets_the_other_gates_run(stamped: Repo) -> None:
    stamped.settings('[[tool.mlgates.waivers]]\ngate = "lineage"\nreason = "bought model"\n')
    run = stamped.run("--mlgate-challenger", WORSE)
    assert run.ret == 1
    assert stamped.verdicts()["golden_regression"] == "FAIL"
    assert "waived: lineage (bought model)" in run.text


def test_a_gate_that_was_not_asked_for_says_so(stamped: Repo) -> None:
    from pytest_mlgates.shipped import gate_files

    stamped.settings(gates=["core"])
    assert stamped.run(str(gate_files()["lineage"])).ret == 10
    assert stamped.said_of("lineage") == ("ERROR", 'the lineage was not looked up: list "lineage" in gates')


def test_an_incomplete_card_blocks_and_a_complete_one_does_not(stamped: Repo) -> None:
    stamped.settings('[tool.mlgates.card]\nowner = "me"\n', gates=["core", "card"])
    assert stamped.run().ret == 1
    sentence = "the model card would lack [tool.mlgates.card] intended_use, [tool.mlgates.card] limits"
    assert stamped.said_of("card") == ("FAIL", sentence)
    stamped.on_page("card", "failing")
    stamped.settings('[tool.mlgates.card]\nowner = "me"\nintended_use = "x"\nlimits = "y"\n')
    assert stamped.run().ret == 0
    stamped.on_page("card", "passing")

"""What becomes of each recorded fact, with a tracking store and a repository in memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.lineage import traceable
from pytest_mlgates.origin.lineage import Part, trace
from pytest_mlgates.origin.provenance import CLEAN, UNKNOWN, Provenance
from pytest_mlgates.ports import TrackedRun, Version
from pytest_mlgates.verdict import Verdict

COMMIT, MD5, DIGEST = "c" * 40, "m" * 32, "d" * 64
WHOLE = Provenance("r1", COMMIT, CLEAN, "data/t.csv", MD5, "../remote", "e" * 64, DIGEST)


@dataclass
class Runs:
    runs: dict[str, TrackedRun] = field(default_factory=lambda: {"r1": TrackedRun(COMMIT)})
    trouble: str = ""

    def run(self, run_id: str) -> TrackedRun | None:
        if self.trouble:
            raise CouldNotEvaluate(self.trouble)
        return self.runs.get(run_id)


@dataclass
class Repository:
    pins: dict[str, dict[str, str]] = field(default_factory=lambda: {COMMIT: {"data/t.csv": MD5}})
    trouble: str = ""

    def has(self, commit: str) -> bool:
        if self.trouble:
            raise CouldNotEvaluate(self.trouble)
        return commit in self.pins

    def pinned(self, commit: str, data: str) -> str:
        return self.pins[commit].get(data, "")


def traced(
    said: Provenance = WHOLE,
    runs: Runs | None = None,
    repository: Repository | None = None,
    digest: str = DIGEST,
    run_id: str = "r1",
) -> dict[str, Part]:
    version = Version("m", "2", run_id=run_id, tags=said.tags())
    parts = trace(version, digest, lambda: runs or Runs(), repository or Repository())
    return {part.name: part for part in parts}


def changed(**facts: Any) -> Provenance:
    return dataclasses.replace(WHOLE, **facts)


def test_everything_holds() -> None:
    assert traced() == {
        "recorded": Part("recorded", True, "v2 records where it came from"),
        "run": Part("run", True, "run r1"),
        "commit": Part("commit", True, "commit cccccccccccc"),
        "data": Part("data", True, f"data data/t.csv with md5 {MD5} in ../remote"),
        "files": Part("files", True, "files with SHA-256 dddddddddddd"),
    }


def test_a_version_without_tags_is_told_the_one_line() -> None:
    assert traced(Provenance()) == {
        "recorded": Part(
            "recorded",
            False,
            "v2 lacks the tags mlgates.run_id, mlgates.git_commit, mlgates.data, mlgates.data_md5, "
            "mlgates.data_remote, mlgates.environment, mlgates.digest: run `mlgates stamp 2`, or call stamp() in the "
            "training script",
        )
    }


def test_a_tree_that_nobody_looked_at_holds() -> None:
    assert traced(changed(git_tree=UNKNOWN))["commit"].holds is True


@pytest.mark.parametrize(
    ("given", "name", "reason"),
    [
        (
            {"run_id": "other"},
            "run",
            "v2 says run r1, but the registry says it came from run other: register it from its run and stamp that",
        ),
        (
            {"run_id": ""},
            "run",
            "v2 says run r1, but the registry says it came from no run: register it from its run and stamp that",
        ),
        ({"runs": Runs({})}, "run", "v2 came from run r1, which does not exist: train it again"),
        (
            {"runs": Runs({"r1": TrackedRun("", deleted=True)})},
            "run",
            "v2 came from run r1, which is deleted: `mlflow runs restore --run-id r1`",
        ),
        (
            {"said": changed(git_commit="a" * 40)},
            "commit",
            "v2 was trained from commit aaaaaaaaaaaa, which this repository does not have: push and fetch it, or train "
            "again from a commit that is kept",
        ),
        (
            {"said": changed(git_tree="changed: train.py")},
            "commit",
            "v2 was trained with uncommitted changes to commit cccccccccccc (train.py): commit them and train again",
        ),
        (
            {"said": changed(data_md5="0" * 32)},
            "data",
            f"v2 was trained on data/t.csv with md5 {'0' * 32}, but at commit cccccccccccc data/t.csv.dvc pins md5 "
            f"{MD5}: commit the pointer that was trained on and train again",
        ),
        (
            {"said": changed(data="gone.csv")},
            "data",
            f"v2 was trained on gone.csv with md5 {MD5}, but at commit cccccccccccc gone.csv.dvc does not exist: "
            "commit the pointer that was trained on and train again",
        ),
        (
            {"digest": "f" * 64},
            "files",
            "the files of v2 changed since it was stamped (SHA-256 dddddddddddd then, ffffffffffff now): find out who "
            "changed them, and register a new version",
        ),
    ],
)
def test_a_fact_that_is_not_true_fails(given: dict[str, Any], name: str, reason: str) -> None:
    found = traced(**given)
    assert found[name] == Part(name, False, reason)


@pytest.mark.parametrize(
    ("given", "silent"),
    [
        ({"runs": Runs(trouble="no store")}, {"run": "no store"}),
        ({"repository": Repository(trouble="no git")}, {"commit": "no git", "data": "no git"}),
    ],
)
def test_what_did_not_answer_is_neither_true_nor_false(given: dict[str, Any], silent: dict[str, str]) -> None:
    found = traced(**given)
    assert {name: part.reason for name, part in found.items() if part.holds is None} == silent


def test_a_store_that_cannot_be_opened_is_trouble_of_the_run_alone() -> None:
    def closed() -> Runs:
        raise CouldNotEvaluate("cannot be opened")

    parts = trace(Version("m", "2", run_id="r1", tags=WHOLE.tags()), DIGEST, closed, Repository())
    assert [part.holds for part in parts] == [True, None, True, True, True]


class TestEvidence:
    def test_one_figure_when_all_holds(self) -> None:
        (only,) = traceable(tuple(traced().values()), "")
        finding = is_true("recorded and true")(only)
        assert (finding.verdict, only.title, only.n) == (Verdict.PASS, "traceable", 5)
        assert finding.sentence == (
            f"run r1, commit cccccccccccc, data data/t.csv with md5 {MD5} in ../remote, files with SHA-256 dddddddddddd"
        )
        assert only.details["recorded"] == "v2 records where it came from"

    def test_one_figure_for_each_broken_part(self) -> None:
        found = list(traceable(tuple(traced(changed(environment=""), digest="f" * 64).values()), ""))
        assert [each.title for each in found] == ["traceable [recorded]", "traceable [files]"]
        assert {is_true("so")(each).verdict for each in found} == {Verdict.FAIL}

    def test_silence_is_raised_once_after_what_is_known_to_be_wrong(self) -> None:
        figures = traceable(tuple(traced(digest="f" * 64, repository=Repository(trouble="no git")).values()), "")
        assert next(figures).where == "files"
        with pytest.raises(CouldNotEvaluate, match=r"^no git$"):
            next(figures)

    @pytest.mark.parametrize(
        ("problem", "said"),
        [("the registry is down", "the registry is down"), ("", 'not looked up: list "lineage" in gates')],
    )
    def test_nothing_looked_up_is_nothing_proven(self, problem: str, said: str) -> None:
        with pytest.raises(CouldNotEvaluate, match=said):
            list(traceable((), problem))

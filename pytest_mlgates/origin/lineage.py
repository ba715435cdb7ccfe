"""Whether what a version says of its origin is true: looked up once, on the controller, before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.origin.provenance import Provenance
from pytest_mlgates.ports import Repository, Runs, Version


@dataclass(frozen=True, slots=True)
class Part:
    """One fact that was looked up. `holds` is None when it could not be: git or the registry did not answer."""

    name: str
    holds: bool | None
    reason: str


def trace(version: Version, digest: str, runs: Callable[[], Runs], repository: Repository) -> tuple[Part, ...]:
    """What became of every fact that `version` should record; `digest` is that of its files today.

    A fact that is not recorded stands in the part `recorded` and is not looked up.
    """
    said = Provenance.from_tags(version.tags)
    parts = [_recorded(version, said)]
    if said.run_id:
        parts.append(_asked("run", lambda: _run(version, said, runs())))
    if said.git_commit:
        parts.append(_asked("commit", lambda: _commit(version, said, repository)))
    if said.git_commit and said.data and said.data_md5:
        parts.append(_asked("data", lambda: _data(version, said, repository)))
    if said.digest:
        parts.append(_files(version, said, digest))
    return tuple(parts)


def _asked(name: str, ask: Callable[[], Part]) -> Part:
    try:
        return ask()
    except CouldNotEvaluate as problem:
        return Part(name, None, str(problem))


def _recorded(version: Version, said: Provenance) -> Part:
    missing = said.missing()
    if not missing:
        return Part("recorded", True, f"{version} records where it came from")
    fix = f"run `mlgates stamp {version.number}`, or call stamp() in the training script"
    return Part("recorded", False, f"{version} lacks the tags {', '.join(missing)}: {fix}")


def _run(version: Version, said: Provenance, runs: Runs) -> Part:
    if said.run_id != version.run_id:
        origin = f"came from run {version.run_id}" if version.run_id else "came from no run"
        why = f"{version} says run {said.run_id}, but the registry says it {origin}"
        return Part("run", False, f"{why}: register it from its run and stamp that")
    found = runs.run(said.run_id)
    if found is None:
        return Part("run", False, f"{version} came from run {said.run_id}, which does not exist: train it again")
    if found.deleted:
        why = f"{version} came from run {said.run_id}, which is deleted"
        return Part("run", False, f"{why}: `mlflow runs restore --run-id {said.run_id}`")
    return Part("run", True, f"run {said.run_id}")


def _commit(version: Version, said: Provenance, repository: Repository) -> Part:
    short = said.git_commit[:12]
    if not repository.has(said.git_commit):
        why = f"{version} was trained from commit {short}, which this repository does not have"
        return Part("commit", False, f"{why}: push and fetch it, or train again from a commit that is kept")
    if said.changed:
        why = f"{version} was trained with uncommitted changes to commit {short} ({said.changed})"
        return Part("commit", False, f"{why}: commit them and train again")
    return Part("commit", True, f"commit {short}")


def _data(version: Version, said: Provenance, repository: Repository) -> Part:
    short = said.git_commit[:12]
    if not repository.has(said.git_commit):
        return Part("data", False, f"the data of {version} cannot be followed: commit {short} is not here")
    pinned = repository.pinned(said.git_commit, said.data)
    if pinned != said.data_md5:
        there = f"pins md5 {pinned}" if pinned else "does not exist"
        why = f"{version} was trained on {said.data} with md5 {said.data_md5}"
        fix = "commit the pointer that was trained on and train again"
        return Part("data", False, f"{why}, but at commit {short} {said.data}.dvc {there}: {fix}")
    return Part("data", True, f"data {said.data} with md5 {said.data_md5} in {said.data_remote}")


def _files(version: Version, said: Provenance, digest: str) -> Part:
    if said.digest != digest:
        why = f"the files of {version} changed since it was stamped"
        fix = "find out who changed them, and register a new version"
        return Part("files", False, f"{why} (SHA-256 {said.digest[:12]} then, {digest[:12]} now): {fix}")
    return Part("files", True, f"files with SHA-256 {digest[:12]}")

"""The git repository that models are trained from: which commits it has, what they pin, and what is not committed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from pytest_mlgates.adapters.golden.git_command import git
from pytest_mlgates.adapters.golden.git_history import pinned_by
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Head

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class GitRepository:
    """The repository that `folder` lies in. Every method raises CouldNotEvaluate when git does not answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root: Path | None = None

    @property
    def root(self) -> Path:
        if self._root is None:
            done = self._git("rev-parse", "--show-toplevel")
            if done.returncode:
                raise CouldNotEvaluate(f"git does not answer in {self._folder}: {_first(done.stderr)}")
            self._root = Path(done.stdout.rstrip("\n"))
        return self._root

    def head(self) -> Head:
        """The commit that is checked out, and the tracked files that differ from it (as `git describe --dirty`, new
        files are left out: notebooks and outputs lie around in every repository).
        """
        root = self.root
        done = self._git("status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z", at=root)
        if done.returncode:
            raise CouldNotEvaluate(f"git does not answer in {root}: {_first(done.stderr)}")
        commit, changed = "", []
        fields = iter(done.stdout.split("\0"))
        for field in fields:
            if field.startswith("# branch.oid "):
                commit = field.removeprefix("# branch.oid ")
            elif field[:1] in ("1", "u"):
                changed.append(field.split(" ", 8 if field[0] == "1" else 10)[-1])
            elif field[:1] == "2":
                changed.append(field.split(" ", 9)[-1])
                next(fields, "")  # the name it had before
        if not _COMMIT.fullmatch(commit):
            raise CouldNotEvaluate(f"{root} has no commit yet: commit the training script and the data's pointer first")
        return Head(commit, tuple(changed))

    def resolve(self, revision: str) -> str:
        """The commit that `revision` (HEAD, a tag, an abbreviation) means here, or ""."""
        done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", at=self.root)
        return done.stdout.strip() if done.returncode == 0 else ""

    def has(self, commit: str) -> bool:
        """Whether the full id `commit` is a commit here; in a shallow clone its absence says nothing."""
        if not _COMMIT.fullmatch(commit):
            return False
        if self._git("cat-file", "-e", f"{commit}^{{commit}}", at=self.root).returncode == 0:
            return True
        if self._git("rev-parse", "--is-shallow-repository", at=self.root).stdout.strip() == "true":
            raise CouldNotEvaluate(
                f"this clone is shallow, so it is unknown whether commit {commit[:12]} exists: `git fetch --unshallow` "
                "(GitHub Actions: fetch-depth: 0)"
            )
        return False

    def pinned(self, commit: str, data: str) -> str:
        """The md5 that the DVC pointer of `data` (a path from the root) pins at `commit`, or ""."""
        done = self._git("cat-file", "blob", f"{commit}:{data}.dvc", at=self.root)
        return pinned_by(done.stdout) if done.returncode == 0 else ""

    def _git(self, *words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        return git(at or self._folder, *words)


def _first(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0]

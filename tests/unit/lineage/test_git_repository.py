"""What git is asked, on real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_mlgates.adapters.golden.git import GitRepository
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Head

IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgSign=false"]


def git(folder: Path, *words: str) -> str:
    command = ["git", *IDENTITY, *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=20).stdout.strip()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits; the data is pinned by the second. No test changes it."""
    root = tmp_path_factory.mktemp("code") / "with space"
    (root / "data").mkdir(parents=True)
    git(root, "init", "-q")
    (root / "a.py").write_text("1\n")
    (root / "ü b.py").write_text("1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "data" / "t.csv.dvc").write_text("outs:\n- md5: a123\n  path: t.csv\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two")
    return root


@pytest.fixture
def mine(root: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(root), "mine")
    return tmp_path / "mine"


def test_root_and_a_clean_head(root: Path) -> None:
    (root / "untracked.ipynb").write_text("")
    here = GitRepository(root / "data")
    assert here.root == root
    assert here.head() == Head(git(root, "rev-parse", "HEAD"), ())


def test_changes_are_named_as_they_are(mine: Path) -> None:
    (mine / "ü b.py").write_text("2\n")
    git(mine, "mv", "a.py", "c.py")
    git(mine, "rm", "-q", "data/t.csv.dvc")
    assert set(GitRepository(mine).head().changed) == {"ü b.py", "c.py", "data/t.csv.dvc"}


def test_pins_are_those_of_the_commit(root: Path) -> None:
    here, (two, one) = GitRepository(root), git(root, "log", "--format=%H").split()
    assert here.pinned(two, "data/t.csv") == "a123"
    assert (here.pinned(one, "data/t.csv"), here.pinned(two, "a.py")) == ("", "")


def test_commits_that_are_here_and_not(root: Path) -> None:
    here, commit = GitRepository(root), git(root, "rev-parse", "HEAD")
    blob = git(root, "rev-parse", "HEAD:a.py")
    asked = [commit, blob, commit[:12], "0" * 40, "HEAD", "--help", ""]
    assert [here.has(each) for each in asked] == [True, False, False, False, False, False, False]


def test_revisions_are_resolved(root: Path) -> None:
    here, commit = GitRepository(root), git(root, "rev-parse", "HEAD")
    asked = ["HEAD", commit[:10], "no-such", "--help", ""]
    assert [here.resolve(each) for each in asked] == [commit, commit, "", "", ""]


def test_a_shallow_clone_cannot_say_that_a_commit_is_absent(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", "shallow")
    here = GitRepository(tmp_path / "shallow")
    assert here.has(git(root, "rev-parse", "HEAD"))
    with pytest.raises(CouldNotEvaluate) as raised:
        here.has(git(root, "rev-parse", "HEAD~1"))
    assert str(raised.value) == (
        f"this clone is shallow, so it is unknown whether commit {git(root, 'rev-parse', 'HEAD~1')[:12]} exists: "
        "`git fetch --unshallow` (GitHub Actions: fetch-depth: 0)"
    )


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        GitRepository(tmp_path).has("0" * 40)
    assert str(raised.value).startswith(f"git does not answer in {tmp_path}: fatal: not a git repository")


def test_no_commit_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(CouldNotEvaluate, match="has no commit yet: commit the training script"):
        GitRepository(tmp_path).head()


def test_no_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CouldNotEvaluate, match=r"^git cannot be run \(No such file or directory\): install it$"):
        GitRepository(root).head()

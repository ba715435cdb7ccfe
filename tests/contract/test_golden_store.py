"""What every `GoldenStore` promises, held against the real DVC."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
from pytest_mlgates.errors import CouldNotEvaluate

CONTENT = b"id,y\n1,0\n2,1\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DvcGolden:
    """A golden set that is pinned and pushed."""
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    file = tmp_path / "repo" / "data" / "golden.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    root = str(tmp_path / "repo")
    with Repo.init(root, no_scm=True) as dvc, dvc.config.edit() as config:
        config["core"]["remote"] = "here"
        config["remote"]["here"] = {"url": str(tmp_path / "remote")}
    with Repo(root) as dvc:
        dvc.add(str(file))
        dvc.push()
    return DvcGolden(file)


def empty(folder: Path) -> None:
    for file in [file for file in folder.rglob("*") if file.is_file() and "files" in file.parts]:
        file.unlink()


def test_the_pin_is_the_md5_and_size_of_the_bytes(store: DvcGolden) -> None:
    pointer = store.pointer()
    assert (pointer.md5, pointer.size) == (hashlib.md5(CONTENT).hexdigest(), len(CONTENT))
    assert pointer.remark == "the pointer is not in a git repository"


def test_how_the_pointer_stands_in_git_is_said(store: DvcGolden) -> None:
    def git(*args: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return subprocess.check_output(
            ["git", *who, *args], cwd=store.file.parent, text=True, stderr=subprocess.DEVNULL
        )

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    assert store.pointer().remark == "the pointer is not committed"
    git("add", "-f", "golden.csv.dvc")
    git("commit", "-q", "-m", "pin")
    pinned = git("rev-parse", "HEAD").strip()
    git("commit", "-q", "--allow-empty", "-m", "something else")
    assert (store.pointer().remark, store.pointer().commit) == ("", pinned)
    pointer = store.file.with_name("golden.csv.dvc")
    pointer.write_text(pointer.read_text() + "# touched\n")
    assert store.pointer().remark == "the pointer differs from the committed one"


def test_an_absent_file_is_brought_from_the_cache_or_the_remote(store: DvcGolden, tmp_path: Path) -> None:
    store.file.unlink()
    store.ensure(store.pointer())
    assert store.file.read_bytes() == CONTENT
    store.file.unlink()
    empty(tmp_path / "repo" / ".dvc")
    store.ensure(store.pointer())
    assert store.file.read_bytes() == CONTENT


def test_a_file_that_is_here_is_never_replaced(store: DvcGolden) -> None:
    store.file.chmod(0o644)
    store.file.write_bytes(b"mine")
    store.ensure(store.pointer())
    assert store.file.read_bytes() == b"mine"


def test_what_can_be_had_from_nowhere_is_one_sentence(store: DvcGolden, tmp_path: Path) -> None:
    store.file.unlink()
    empty(tmp_path / "repo" / ".dvc")
    empty(tmp_path / "remote")
    with pytest.raises(CouldNotEvaluate, match=r"could not be pulled by DVC .* try `dvc pull` by hand") as trouble:
        store.ensure(store.pointer())
    assert "\n" not in str(trouble.value)


def test_outside_a_dvc_repository(tmp_path: Path) -> None:
    (tmp_path / "golden.csv.dvc").write_text(f"outs:\n- md5: '{'0' * 32}'\n  path: golden.csv\n")
    store = DvcGolden(tmp_path / "golden.csv")
    with pytest.raises(CouldNotEvaluate, match="lies in no DVC repository that could pull it"):
        store.ensure(store.pointer())


def test_no_pointer(tmp_path: Path) -> None:
    with pytest.raises(CouldNotEvaluate, match=r"has no DVC pointer .*: run `dvc add golden\.csv`"):
        DvcGolden(tmp_path / "golden.csv").pointer()

"""The training data as pinned, and the versions that git knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest
from by_hand import golden_of, pin, settings_of

from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
from pytest_mlgates.adapters.golden.git_history import history_of
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.origin.training import Training, read_training
from pytest_mlgates.ports.versions import History

ROWS = "a,y\n1,0\n2,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "golden.csv").write_text(ROWS)
    (tmp_path / "train.csv").write_text("a,y\n3,0\n")
    return tmp_path


def read(folder: Path, path: str = "train.csv") -> Training:
    golden = folder / "golden.csv"
    made = golden_of(pd.read_csv(golden), version=pin(golden), path=golden)
    return read_training(settings_of(folder), path, made, DvcGolden)


@pytest.mark.parametrize("path", ["train.csv", "train.csv.dvc"])
def test_the_file_or_its_pointer_may_be_named(folder: Path, path: str) -> None:
    md5 = pin(folder / "train.csv")
    training = read(folder, path)
    assert training.rows.to_dict("list") == {"a": [3], "y": [0]}
    assert training.golden.to_dict("list") == {"a": [1, 2], "y": [0, 1]}
    assert (training.file, training.md5) == (folder / "train.csv", md5)


def test_a_file_without_a_pointer_is_taken_as_it_is(folder: Path) -> None:
    assert len(read(folder).rows) == 1


def test_another_file_than_the_pinned_one_is_refused(folder: Path) -> None:
    md5 = pin(folder / "train.csv")
    (folder / "train.csv").write_text("a,y\n4,0\n")
    with pytest.raises(
        CouldNotEvaluate, match="is not the file its pointer pins: its md5 is .*, the pointer says " + md5
    ):
        read(folder)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.csv", None, "the training data .*none.csv cannot be read: No such file or directory"),
        ("empty.csv", "a,y\n", "the training data .*empty.csv has no rows"),
        ("broken.parquet", "x", "the training data .*broken.parquet cannot be read as parquet: "),
        ("rows.txt", "x", "the training data .*rows.txt must be a .parquet or .csv file"),
    ],
)
def test_what_cannot_be_read_is_said(folder: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(CouldNotEvaluate, match=said):
        read(folder, name)


def test_an_absent_file_is_pulled_and_when_it_cannot_be_that_is_said(folder: Path) -> None:
    pin(folder / "train.csv")
    (folder / "train.csv").unlink()
    with pytest.raises(CouldNotEvaluate, match=r"train\.csv is not here and lies in no DVC repository"):
        read(folder)


class Git:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self("init", "--quiet")

    def __call__(self, *words: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgSign=false"]
        done = subprocess.run(["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, subject: str) -> str:
        self("add", "-A")
        self("commit", "--quiet", "-m", subject)
        return self("rev-parse", "HEAD")


def test_every_commit_that_changed_the_pointer_is_a_version(folder: Path) -> None:
    git, golden = Git(folder), folder / "golden.csv"
    first, one = pin(golden), git.commit("first rows")
    (folder / "other").write_text("x")
    git.commit("another file")
    golden.write_text(ROWS + "3,1\n")
    second, two = pin(golden), git.commit("more rows")
    history = history_of(folder / "golden.csv.dvc")
    assert [(v.commit, v.md5, v.subject) for v in history.versions] == [
        (two, second, "more rows"),
        (one, first, "first rows"),
    ]
    assert history.versions[0].time >= history.versions[1].time > 1_000_000_000
    assert not history.shallow
    assert history.since(second) == history.versions[0]
    assert history.since(first) is None, "the present pin is another one"


def test_a_clone_of_depth_one_is_known_as_such(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git = Git(folder)
    pin(folder / "golden.csv")
    git.commit("first rows")
    (folder / "other").write_text("x")
    git.commit("another file")
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "--quiet", "--depth", "1", f"file://{folder}", str(clone / "c"))
    history = history_of(clone / "c" / "golden.csv.dvc")
    assert history.shallow
    assert [version.subject for version in history.versions] == ["another file"], "which is not when it was pinned"


def test_what_is_in_no_repository_has_no_history(folder: Path) -> None:
    pin(folder / "golden.csv")
    assert history_of(folder / "golden.csv.dvc") == History()


def test_a_pointer_that_was_deleted_or_broken_for_a_while_is_passed_over(folder: Path) -> None:
    git, pointer = Git(folder), folder / "golden.csv.dvc"
    pin(folder / "golden.csv")
    git.commit("pinned")
    text = pointer.read_text()
    pointer.write_text("outs: [")
    git.commit("broken")
    pointer.unlink()
    git.commit("deleted")
    pointer.write_text(text)
    git.commit("back")
    assert [version.subject for version in history_of(pointer).versions] == ["back", "pinned"]

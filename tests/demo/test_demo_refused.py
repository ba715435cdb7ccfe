"""What a build says when it cannot, and that it leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.demo import DemoError, build, needs, training
from pytest_mlgates.demo.git import Git
from pytest_mlgates.demo.incident import stage
from pytest_mlgates.demo.place import MARK


def ignore(line: str) -> None:
    pass


def interrupt_at(start: str) -> object:
    def say(line: str) -> None:
        if line.startswith(start):
            raise KeyboardInterrupt

    return say


def refusal(directory: Path) -> str:
    with pytest.raises(DemoError) as caught:
        build(directory, say=ignore)
    return str(caught.value)


def test_an_incident_without_a_prometheus_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["demo", str(tmp_path / "demo"), "--incident"]) == 2
    err = capsys.readouterr().err
    assert "an incident is seen by Prometheus, which is not on PATH: apt-get install prometheus" in err
    assert not (tmp_path / "demo").exists()


def test_an_incident_needs_something_that_serves(demo: Path) -> None:
    with pytest.raises(DemoError, match="there is no incident where nothing serves: no cluster: write"):
        stage(demo, "errors", say=ignore)


def test_a_finished_demo_is_not_built_again(demo: Path) -> None:
    before = sorted(demo.rglob("*"))
    assert refusal(demo) == f"{demo} is not empty: name a directory that is empty or does not exist yet"
    assert sorted(demo.rglob("*")) == before


def test_a_file_in_the_way(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")
    assert refusal(file) == f"{file} is a file: name a directory that is empty or does not exist yet"
    assert file.read_text() == "mine"


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    place = tmp_path / "notes" / "demo"
    assert refusal(place).startswith(f"the demo could not be built in {place}: ")
    assert (tmp_path / "notes").read_text() == "mine"


def test_leftovers_of_a_killed_build_are_named(tmp_path: Path) -> None:
    (tmp_path / MARK).touch()
    (tmp_path / "data").mkdir()
    assert refusal(tmp_path) == (
        f"{tmp_path} holds an unfinished demo: remove that directory (unless one is being built there now)"
    )
    assert (tmp_path / "data").is_dir()


@pytest.mark.parametrize("start", ["building", "git:", "MLflow: training"])
def test_an_interrupted_build_is_removed_with_the_folders_it_made(tmp_path: Path, start: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "new" / "demo", say=interrupt_at(start))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_build_leaves_the_users_folder_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Git, "commit", lambda self, message, *paths: self._run("no-such-command"))
    assert refusal(tmp_path).startswith(f"`git no-such-command` failed in {tmp_path}: git: 'no-such-command' is ")
    assert list(tmp_path.iterdir()) == []


def test_dvc_trouble_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_mlgates.demo.data.CONFIG", "[core]\n    remote = nowhere\n")
    assert refusal(tmp_path / "demo").startswith(f"DVC failed in {tmp_path}/demo: ")
    assert list(tmp_path.iterdir()) == []


def test_a_training_script_that_fails_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise RuntimeError('disk full')")
    with pytest.raises(DemoError) as caught:
        training.run(tmp_path, ["champion"], ignore)
    assert str(caught.value) == f"`python train.py champion` failed in {tmp_path}: RuntimeError: disk full"


def test_an_interrupted_training_script_does_not_live_on(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import os, time\nprint('pid', os.getpid(), flush=True)\ntime.sleep(60)\n")
    started: list[int] = []

    def say(line: str) -> None:
        if line.startswith("MLflow: pid"):
            started.append(int(line.split()[-1]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.run(tmp_path, ["champion"], say)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_git_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(tmp_path / "demo") == (
        "git is not on PATH, and the demo is a git repository: install git and run again"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "advice"),
    [("dvc", 'pip install "pytest-mlgates[golden]"'), ("sklearn", "pip install scikit-learn")],
)
def test_a_library_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, advice: str) -> None:
    real = importlib.util.find_spec

    def without(name: str) -> ModuleSpec | None:
        return None if name == module else real(name)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert refusal(tmp_path / "demo").endswith(advice)
    assert list(tmp_path.iterdir()) == []


def test_an_mlflow_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "version", lambda name: "3.8.1")
    with pytest.raises(DemoError, match=r'needs MLflow 3.9 or later, not 3.8.1: pip install "mlflow>=3.9"'):
        needs.check()


def test_importing_the_demo_loads_nothing_heavy() -> None:
    heavy = "{'dvc', 'mlflow', 'sklearn', 'pyarrow', 'pandas', 'numpy', 'pydantic'}"
    code = f"import sys, pytest_mlgates.demo; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

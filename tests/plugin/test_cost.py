"""A plugin that is off costs nothing. Counted, not timed: modules loaded and processes started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from mlrepo import ALONE

#: Loaded by Python before anything else (`sitecustomize`), so that nothing starts unseen.
WATCH = """
import json, os, sys
started = []
STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "os.spawn")
sys.addaudithook(lambda event, args: started.append(event) if event in STARTS else None)
"""
CONFTEST = """
import json, sys
from pathlib import Path
import sitecustomize

reports = []
def pytest_runtest_logreport(report):
    reports.append(report.user_properties)

def pytest_unconfigure():
    told = {"modules": sorted(sys.modules), "started": sitecustomize.started, "properties": reports}
    Path("cost.json").write_text(json.dumps(told))
"""
TEST = """
import pytest

@pytest.mark.mlgate("mine")
def test_mine():
    pass

def test_ordinary():
    pass
"""


def cost(folder: Path, *args: str) -> dict[str, Any]:
    for name, text in (("sitecustomize.py", WATCH), ("conftest.py", CONFTEST), ("test_it.py", TEST)):
        (folder / name).write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "pytest", *ALONE, "-p", "no:cacheprovider", *args]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "cost.json").read_text())


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return cost(tmp_path_factory.mktemp("without"), "-p", "no:mlgates")


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return cost(tmp_path_factory.mktemp("idle"))


def test_an_idle_plugin_loads_at_most_three_modules(without: dict[str, Any], idle: dict[str, Any]) -> None:
    added = set(idle["modules"]) - set(without["modules"])
    assert {"pytest_mlgates", "pytest_mlgates.plugin"} <= added
    assert len(added) <= 3, f"pytest alone does without {sorted(added)}"


def test_an_idle_plugin_starts_no_process(idle: dict[str, Any]) -> None:
    assert idle["started"] == []


def test_an_idle_plugin_puts_nothing_on_reports(idle: dict[str, Any]) -> None:
    assert idle["properties"] == [[]] * 6


def test_the_watch_would_see_a_process(tmp_path: Path) -> None:
    """The negative test of the test above."""
    (tmp_path / "starts.py").write_text("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])\n")
    assert "subprocess.Popen" in cost(tmp_path, "-p", "starts")["started"]


def test_asking_for_help_opens_no_registry(tmp_path: Path) -> None:
    told = cost(tmp_path, "--mlgate", "--markers")
    assert told["started"] == []
    assert not {"mlflow", "numpy", "pandas"} & set(told["modules"])

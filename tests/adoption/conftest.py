"""`elsewhere`: a repository that is not the demo, copied for each test; its registry stays where it was made."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.once import once

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    seconds: float


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As its owners left it: no settings, nothing pinned."""

    def make(folder: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("elsewhere.py")), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "elsewhere", make)


@pytest.fixture(scope="session")
def settled(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after `mlgates init --yes`."""

    def make(folder: Path) -> None:
        shutil.copytree(built, folder, dirs_exist_ok=True)
        done = bare("mlgates init --yes", folder, folder.parent)
        assert done.code == 0, done.err

    return once(tmp_path_factory, "settled", make)


@pytest.fixture
def elsewhere(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "tissue"))


def bare(line: str, folder: Path, home: Path, *, path: str = "", **more: str) -> Done:
    """A command line as a CI runner's shell starts it: a bare environment, no terminal."""
    environment = {"PATH": f"{path}{BIN}:/usr/bin:/bin", "HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    start = time.monotonic()
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", line],
        cwd=folder,
        env=environment | {"DVC_NO_ANALYTICS": "1", "COLUMNS": "120"} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


@pytest.fixture
def shell(elsewhere: Path, tmp_path: Path) -> Callable[..., Done]:
    """A command line in that repository."""

    def run(line: str, **more: str) -> Done:
        return bare(line, elsewhere, tmp_path, **more)

    return run

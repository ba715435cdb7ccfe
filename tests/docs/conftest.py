"""One demo for the documentation's examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mlgates.demo import build
from tests.once import once

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as it is built; copied by whoever runs something in it."""
    return once(tmp_path_factory, "docs-demo", lambda folder: build(folder / "demo", say=lambda line: None)) / "demo"


@pytest.fixture(scope="session")
def demo(untouched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(untouched, tmp_path_factory.mktemp("readme") / "demo"))


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command line in `folder`, as a reader would type it, with this environment's tools first."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLGATES_", "MLFLOW_", "PYTEST_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=clean | {"PATH": path, "COLUMNS": "160", "MLFLOW_DISABLE_TELEMETRY": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def mlgate(demo: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `pytest --mlgate ...` in the demo, as a user would."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLGATES_", "MLFLOW_", "PYTEST_"))}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--mlgate", "-p", "no:cacheprovider", *options],
            cwd=demo,
            env=clean | {"COLUMNS": "120", "MLFLOW_DISABLE_TELEMETRY": "true"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def block(mark: str, text: str | None = None) -> str:
    """The fenced block of the README that follows the comment `<!-- mark -->`."""
    text = README.read_text() if text is None else text
    after = text.split(f"<!-- {mark} -->\n", 1)[1]
    return after.split("```", 2)[1].split("\n", 1)[1]

"""What holds for every test: pytester, no network, and no settings from the developer's own shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.once import once

# How long an example takes is the machine's affair, and a loaded one fails nothing. A profile holds for the whole
# session, whoever loads it: the same examples in every run, so that what fails fails again.
hypothesis.settings.register_profile("mlgates", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("mlgates")

pytest_plugins = ("pytester", "tests.promises")

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
_AMBIENT = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "PYTEST_ADDOPTS", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` one worker has all that need servers: each is started once, and none beside another."""
    for item in items:
        if item.get_closest_marker("services"):
            item.add_marker(pytest.mark.xdist_group("services"))


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _QUIET.items():
            patch.setenv(name, value)
        for name in list(os.environ):
            if name in _AMBIENT or (name.startswith("MLGATES_") and not name.startswith("MLGATES_TEST_")):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """A shell starts what runs in the background with Ctrl-C ignored, and whatever that starts inherits it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry and golden set of build_template.py."""

    def make(folder: Path) -> None:
        command = [sys.executable, str(Path(__file__).parent / "plugin" / "build_template.py"), str(folder)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "mlgates-template", make)

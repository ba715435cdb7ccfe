"""One demo for all tests here, built where a user's own configuration would get in the way if it could."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pytest_mlgates.demo import build
from tests.once import once

GITCONFIG = """\
[core]
    hooksPath = {hooks}
    excludesFile = {ignored}
    autocrlf = true
[commit]
    gpgSign = true
[init]
    defaultBranch = trunk
    templateDir = {hooks}
"""


def hostile(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Git signs, refuses commits, ignores data; DVC shares a cache by links; all of them look elsewhere."""
    hooks, ignored = home / "hooks", home / "ignored"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    ignored.write_text("data/\n*.dvc\n*.parquet\n*.toml\n")
    (home / ".gitconfig").write_text(GITCONFIG.format(hooks=hooks, ignored=ignored))
    (home / "dvc").mkdir()
    (home / "dvc" / "config").write_text(f"[cache]\n    dir = {home / 'shared-cache'}\n    type = symlink\n")
    patch.setenv("HOME", str(home))
    patch.setenv("DVC_GLOBAL_CONFIG_DIR", str(home / "dvc"))
    patch.setenv("GIT_DIR", str(home / "nowhere"))
    patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    patch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    patch.setenv("MLFLOW_EXPERIMENT_NAME", "somebody else's")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo, and in a file what the build said."""

    def make(folder: Path) -> None:
        said: list[str] = []
        (folder / "home").mkdir()
        with pytest.MonkeyPatch.context() as patch:
            hostile(patch, folder / "home")
            build(folder / "a demo", say=said.append)
        (folder / "said.json").write_text(json.dumps(said))

    return once(tmp_path_factory, "built-demo", make)


@pytest.fixture(scope="session")
def said(built: Path) -> list[str]:
    """What the build said."""
    return list(json.loads((built / "said.json").read_text()))


@pytest.fixture(scope="session")
def demo(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This worker's own copy of the demo. Read only: a test that changes it must put it back."""
    return Path(shutil.copytree(built / "a demo", tmp_path_factory.mktemp("work") / "a demo", symlinks=True))

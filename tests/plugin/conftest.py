"""`repo`: a small ML repository with a registry, ready to be judged in.

Most tests run pytest in this process (0.5 s instead of 3 s, MLflow being imported already); what needs a process of its
own (a signal, a worker, the shell's exit code) says `apart` or `-n2`. The models' answers on the golden set come from
the product's own cache; `repo.forget()` deletes it where scoring itself is the subject.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_mlgates
from mlrepo import N2, Repo


@pytest.fixture(scope="session")
def _imported() -> None:
    """pytester forgets what a run in this process imports; what is here already stays, once and for all runs."""
    for module in pkgutil.walk_packages(pytest_mlgates.__path__, "pytest_mlgates."):
        # The compiled statistics need numba, which is optional; the demo is not for importing here, and Locust's file
        # replaces this process's sockets.
        if not any(part in module.name for part in ("scoring_child", ".demo", ".compiled", "locustfile")):
            with contextlib.suppress(ImportError):  # what needs an extra that is not here is not run here either
                importlib.import_module(module.name)
    for heavy in ("pandas", "pyarrow.parquet", "mlflow.tracking", "mlflow.store.model_registry.sqlalchemy_store"):
        importlib.import_module(heavy)


@pytest.fixture
def repo(template: Path, _imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for name in ("golden.csv", "golden.csv.dvc", "mlflow.db"):
        shutil.copy(template / name, pytester.path)
    shutil.copytree(template / ".mlgates", pytester.path / ".mlgates")
    monkeypatch.setenv("COLUMNS", "300")
    for name in list(os.environ):
        if name.startswith("PYTEST_XDIST"):
            monkeypatch.delenv(name)
    made = Repo(pytester.path, pytester)
    made.settings()
    return made


@pytest.fixture
def mlgates(
    repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Runs `mlgates ...` in the repository: (exit code, stdout, stderr)."""
    from pytest_mlgates.cli import main

    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.delenv("MLGATES_MODEL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(params=["alone", pytest.param("n2", marks=pytest.mark.long)])
def spread(request: pytest.FixtureRequest) -> list[str]:
    """The arguments that run a test's gates in one process, and its twin with two xdist workers."""
    return [] if request.param == "alone" else N2

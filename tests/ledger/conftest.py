"""Real stores: one sqlite template a session, a forkserver with MLflow preloaded, a server, a PostgreSQL."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from . import services

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with all its tables and nothing in them."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.db"
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{file}"
    MlflowClient(uri, uri).search_registered_models()
    return file


@pytest.fixture
def sqlite(empty_database: Path, tmp_path: Path) -> str:
    """The URI of a registry of one's own."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}"


@pytest.fixture(scope="session")
def forkserver() -> Iterator[ForkServerContext]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{__package__}.worker"])
    # The forkserver is a fresh interpreter: it must find this very package.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        from multiprocessing import forkserver

        forkserver.ensure_running()
    yield context


@pytest.fixture(scope="session")
def server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An MLflow server over its own sqlite file."""
    folder = tmp_path_factory.mktemp("server")
    file = shutil.copy(empty_database, folder / "mlflow.db")
    more = ["--workers", "2", "--default-artifact-root", str(folder / "artifacts")]
    with services.mlflow_server(f"sqlite:///{file}", folder, *more) as uri:
        yield uri


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of one's own, from Debian's packages, with MLflow's tables in it."""
    with services.postgresql() as uri:
        from mlflow.tracking import MlflowClient

        MlflowClient(uri, uri).search_registered_models()
        yield uri

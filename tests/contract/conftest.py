"""Every implementation of a port answers to the same tests."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger import services


@pytest.fixture
def sqlite_uri(template: Path, tmp_path: Path) -> str:
    shutil.copy(template / "mlflow.db", tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(params=["sqlite", pytest.param("server", marks=pytest.mark.services)])
def registry_uri(request: pytest.FixtureRequest) -> str:
    """An MLflow registry with the versions of build_template.py: a database, and a server before one."""
    return request.getfixturevalue("sqlite_uri" if request.param == "sqlite" else "restored_server")


@pytest.fixture(scope="module")
def running_server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(template / "mlflow.db", folder)
    # What a client keeps with a run goes through the server to a folder that only the server knows.
    more = ("--workers", "1", "--artifacts-destination", str(folder / "kept"))
    with services.mlflow_server(f"sqlite:///{folder / 'mlflow.db'}", folder, *more) as uri:
        yield uri, folder / "mlflow.db"


@pytest.fixture
def restored_server(running_server: tuple[str, Path], template: Path) -> str:
    """The server takes long to start, so its tests share it; each finds the registry as it was built."""
    uri, database = running_server
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("attach ? as built", (str(template / "mlflow.db"),))
        for table in ("registered_model_aliases", "model_version_tags", "model_versions"):
            db.execute(f"delete from main.{table}")
            db.execute(f"insert into main.{table} select * from built.{table}")
        db.commit()
    return uri

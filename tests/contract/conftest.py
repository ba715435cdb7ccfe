"""Every implementation of a port answers to the same tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def sqlite_uri(template: Path, tmp_path: Path) -> str:
    shutil.copy(template / "mlflow.db", tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(params=["sqlite", pytest.param("server", marks=pytest.mark.long)])
def registry_uri(request: pytest.FixtureRequest) -> str:
    """An MLflow registry with the versions of build_template.py: a database, and a server before one."""
    return request.getfixturevalue("sqlite_uri" if request.param == "sqlite" else "restored_server")


@pytest.fixture(scope="module")
def running_server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(template / "mlflow.db", folder)
    with server(f"sqlite:///{folder / 'mlflow.db'}", folder) as uri:
        yield uri, folder / "mlflow.db"


@pytest.fixture
def restored_server(running_server: tuple[str, Path], template: Path) -> str:
    """The server takes long to start, so its tests share it; each finds the registry as it was built."""
    uri, database = running_server
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("attach ? as built", (str(template / "mlflow.db"),))
        for table in ("registered_model_aliases", "model_version_tags"):
            db.execute(f"delete from main.{table}")
            db.execute(f"insert into main.{table} select * from built.{table}")
        db.execute("update main.model_versions set current_stage = 'None'")
        db.commit()
    return uri


@contextlib.contextmanager
def server(store: str, folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        store,
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        uri = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{uri}/health", timeout=5)
                break
            time.sleep(0.2)
        yield uri
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(30)

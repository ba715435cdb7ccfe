"""Every implementation of a port answers to the same tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
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
def registry_uri(request: pytest.FixtureRequest, sqlite_uri: str, tmp_path: Path) -> Iterator[str]:
    """An MLflow registry with the versions of build_template.py: a database, and a server before one."""
    if request.param == "sqlite":
        yield sqlite_uri
        return
    with server(sqlite_uri, tmp_path) as uri:
        yield uri


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

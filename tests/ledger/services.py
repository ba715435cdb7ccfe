"""Servers started for a test on free loopback ports, and ended with it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

_PACKAGES = Path("/usr/lib/postgresql")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: list[str], log: Path, port: int, *, bound: float, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`command` until the end of the block, once it answers on `port`; its process group is ended whatever happens.

    It runs in the folder of its log, with `environ` added to ours.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=log.parent,
            env={**os.environ, **(environ or {})},
        )
    try:
        _answers(process, log, port, time.monotonic() + bound)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            # What asks PostgreSQL to end without waiting for its clients; MLflow's workers may not listen at all.
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


@contextlib.contextmanager
def mlflow_server(store: str, folder: Path, *more: str, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URI of an MLflow server over the database `store`; it keeps its own things in `folder`."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store, *more]
    # Else it starts eight more processes for background jobs, of which a registry has none.
    lean = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **(environ or {})}
    with running(command, folder / "server.log", port, bound=180, environ=lean):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The URI of a fresh database. Skips the test, saying why, where PostgreSQL or its driver is missing."""
    binaries = sorted(_PACKAGES.glob("*/bin/initdb"))
    if not binaries:
        pytest.skip(f"no PostgreSQL in {_PACKAGES}: apt-get install postgresql")
    driver = next((name for name in ("psycopg2", "psycopg") if importlib.util.find_spec(name)), None)
    if driver is None:
        pytest.skip("no driver for PostgreSQL: pip install psycopg2-binary")
    tools, port = binaries[-1].parent, free_port()
    folder = Path(tempfile.mkdtemp(prefix="mlgates-postgres-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres", pwd.getpwnam("postgres").pw_gid)
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    try:
        initdb = [*prefix, str(tools / "initdb"), "-D", str(data), "-U", "mlgates", "-A", "trust", "-E", "UTF8"]
        subprocess.run(initdb, check=True, capture_output=True, timeout=120, cwd="/")
        command = [*prefix, str(tools / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]
        with running(command, folder / "log", port, bound=60):
            yield f"postgresql+{driver}://mlgates@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(process: subprocess.Popen[bytes], log: Path, port: int, until: float) -> None:
    while True:
        assert process.poll() is None, f"it ended with {process.returncode}: {log.read_text()[-2000:]}"
        assert time.monotonic() < until, f"it never answered: {log.read_text()[-2000:]}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)

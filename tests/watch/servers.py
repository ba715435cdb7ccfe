"""A real Prometheus, Alertmanager and Pushgateway on loopback, started and ended by whoever needs them."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

#: Program -> Debian's names for it.
PROGRAMS = {
    "prometheus": ("prometheus",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "pushgateway": ("prometheus-pushgateway", "pushgateway"),
}


def program(name: str) -> str | None:
    return next((found for one in PROGRAMS[name] if (found := shutil.which(one))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """What `true` gives once it gives something; it is asked anew all the time, and for so long only."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, ValueError):
            if found := true():
                return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        threading.Event().wait(0.05)


def got(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bytes(answer.read())


@contextlib.contextmanager
def running(command: list[str], log: Path, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextlib.contextmanager
def prometheus(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """Its URL; `config` is prometheus.yml."""
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"127.0.0.1:{free_port()}"
    command = [
        str(program("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={url}",
    ]
    with running(command, folder / "prometheus.log"):
        until(lambda: got(f"http://{url}/-/ready"), 20, "Prometheus is ready")
        yield f"http://{url}"


@contextlib.contextmanager
def alertmanager(folder: Path, config: dict[str, Any], port: int) -> Iterator[str]:
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    command = [
        str(program("alertmanager")),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, folder / "alertmanager.log"):
        until(lambda: got(f"http://127.0.0.1:{port}/-/ready"), 20, "Alertmanager is ready")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def pushgateway(folder: Path) -> Iterator[str]:
    url = f"127.0.0.1:{free_port()}"
    # Debian's keeps what it was told in a file of the whole machine unless it is given one.
    own = [f"--web.listen-address={url}", f"--persistence.file={folder / 'pushgateway.data'}"]
    with running([str(program("pushgateway")), *own], folder / "pushgateway.log"):
        until(lambda: got(f"http://{url}/-/ready"), 20, "the Pushgateway is ready")
        yield f"http://{url}"


def firing(url: str) -> set[str]:
    """The alerts that a Prometheus says fire."""
    found = json.loads(got(f"{url}/api/v1/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

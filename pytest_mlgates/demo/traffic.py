"""Users and a Prometheus for the demo: golden rows asked all the time, and what came of it scraped every second."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.needs import check_incident

_USERS, _PAUSE = 16, 1.6
_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: employment
  static_configs: [{{targets: ["{target}"]}}]
"""


@contextlib.contextmanager
def users(url: str, body: bytes) -> Iterator[None]:
    """About ten questions a second to the model, and as many to a plain route, whatever comes back."""
    ended = threading.Event()
    place = url.removeprefix("http://")
    threads = [threading.Thread(target=_user, args=(place, body, ended), daemon=True) for _ in range(_USERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(15)


def _user(place: str, body: bytes, ended: threading.Event) -> None:
    while not ended.wait(_PAUSE):
        for method, path, text in (("POST", "/invocations", body), ("GET", "/ping", b"")):
            connection = http.client.HTTPConnection(place, timeout=10)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request(method, path, text, {"Content-Type": "application/json"})
                connection.getresponse().read()
            connection.close()


def end(process: subprocess.Popen[Any], within: float) -> None:
    """Asked to end, and after `within` seconds made to."""
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """The URL of a Prometheus of our own that scrapes `target` (host:port). Raises DemoError when it does not start."""
    program = check_incident()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(_CONFIG.format(target=target))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *options, f"--web.listen-address={place}"], stdout=log, stderr=log)
    try:
        _until_ready(process, place, folder / "log")
        yield f"http://{place}"
    finally:
        end(process, 20)


def _until_ready(process: subprocess.Popen[bytes], place: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(place, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return
        connection.close()
        time.sleep(0.1)
    raise DemoError(f"Prometheus did not start; the end of {log} says why:\n{log.read_text(errors='replace')[-500:]}")


def question(golden: Path, leave_out: tuple[str, ...]) -> bytes:
    """The first golden row as MLflow's scoring server is asked."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(golden).slice(0, 1).drop_columns(list(leave_out))
    row = [column[0].as_py() for column in table.columns]
    return json.dumps({"dataframe_split": {"columns": table.column_names, "data": [row]}}).encode()

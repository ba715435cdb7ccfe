"""`mlgates webhook` as a process of its own, and what it is told by whoever plays Alertmanager and Prometheus."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mlrepo import MODEL
from tests.watch.servers import until

TOKEN = "a token of some length"
LABELS = {"alertname": "MlgatesErrorsHigh", "model": MODEL, "component": "model", "severity": "critical"}
FIRING = {"status": "firing", "labels": LABELS, "startsAt": "2027-01-15T08:00:00Z"}


@dataclass
class Hook:
    """`said` is what it printed; `post` gives HTTP's status and the answer."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    address: str = ""

    def post(self, *alerts: dict[str, Any], token: str = TOKEN, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        text = body or json.dumps({"version": "4", "alerts": alerts or [FIRING]}).encode()
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request("POST", "/alerts", text, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def wait_for(self, words: str, seconds: float = 60) -> str:
        return str(
            until(lambda: next((line for line in self.said if words in line), ""), seconds, f"it says {words!r}")
        )

    def memory(self) -> int:
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def webhook(folder: Path, **environment: str) -> Iterator[Hook]:
    command = [sys.executable, "-m", "pytest_mlgates.cli", "webhook", "--port", "0"]
    environ = {**os.environ, "ALERT_TOKEN": TOKEN, **environment}
    process = subprocess.Popen(
        command, cwd=folder, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    hook = Hook(process)

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            hook.said.append(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        url = hook.wait_for("listening at ").rpartition(" ")[2]
        hook.address = url.removeprefix("http://").removesuffix("/alerts")
        yield hook
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        reader.join(5)


@contextlib.contextmanager
def prometheus_says(*alerts: dict[str, Any]) -> Iterator[str]:
    """The URL of one whose firing alerts are these."""
    body = json.dumps({"status": "success", "data": {"alerts": alerts}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ACTIVE = {"labels": LABELS, "state": "firing", "activeAt": "2027-01-15T07:58:00Z"}

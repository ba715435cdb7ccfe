"""Every fault of the proxy as a real Prometheus shows it to the gate `slo`: the model's own, and over when it ends."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.watching.prometheus import Prometheus as Adapter
from pytest_mlgates.demo.fault_proxy import Fault, FaultProxy, fault_proxy
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.live.guard import Past
from pytest_mlgates.measure.live.metrics import Watched
from pytest_mlgates.measure.live.slo import slo
from pytest_mlgates.policy import Prometheus, Slo
from tests.watch.servers import program, prometheus, until

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(program("prometheus") is None, reason="not installed: apt-get install prometheus"),
]
WINDOW = 4.0
FAST = Slo(
    seconds=WINDOW,
    errors_at_once_s=WINDOW,
    p99_at_once_s=WINDOW,
    p99_ms=500,
    p99_at_once_ms=1000,
    stale_s=5,
    requests=30,
)
#: What users have of each fault: errors (of two windows), and answers slower than half a second and than a second.
SEEN = {
    "errors": (Fault(errors=0.5), ["breach", "breach", "well", "well"]),
    "resets": (Fault(resets=0.5), ["breach", "breach", "well", "well"]),
    "stalls": (Fault(stalls=0.5, stall_s=1.5), ["breach", "breach", "breach", "breach"]),
    "latency": (Fault(latency_s=0.7), ["well", "well", "breach", "well"]),
    "wrong": (Fault(wrong=1.0), ["well", "well", "well", "well"]),
}


@contextlib.contextmanager
def proxy() -> Iterator[FaultProxy]:
    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(b"1")

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with fault_proxy("127.0.0.1", server.server_port) as made:
            yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def users(of: FaultProxy) -> Iterator[None]:
    """Some dozens of questions a second to the model and to a plain route, whatever comes back."""
    ended = threading.Event()
    place = of.url.removeprefix("http://")

    def ask() -> None:
        while not ended.wait(0.4):
            for method in ("POST", "GET"):
                connection = http.client.HTTPConnection(place, timeout=5)
                with contextlib.suppress(OSError, http.client.HTTPException):
                    connection.request(method, "/x", b"{}" if method == "POST" else None)
                    connection.getresponse().read()
                connection.close()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)


def states(url: str) -> list[str]:
    told = Prometheus(url=url, champion='route="model"', control='route="plain"', step=1.0, timeout=5.0)
    metrics = Adapter(url, timeout=told.timeout)
    try:
        return [
            str(evidence.details["state"]) for evidence, _ in slo(Watched(metrics, told, metrics.now()), FAST, Past())
        ]
    except CouldNotEvaluate as problem:
        return [str(problem)]
    finally:
        metrics.close()


def test_each_fault_is_what_users_have_of_it(tmp_path: Path) -> None:
    """Wrong answers in time are none of this gate's business: that is why there is a canary."""
    with proxy() as front, users(front):
        scraping = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": "churn", "static_configs": [{"targets": [front.url.removeprefix("http://")]}]}
            ],
        }
        with prometheus(tmp_path, scraping) as url:
            until(lambda: states(url) == ["well"] * 4, 60, "all is well")
            for name, (fault, expected) in SEEN.items():
                front.fault, asked = fault, sum(front.codes.values())
                until(lambda asked=asked: sum(front.codes.values()) > asked + 200, 60, f"{name} is met")
                until(lambda wanted=expected: states(url) == wanted, 60, f"{name}: {expected}")
                front.fault = Fault()
                until(lambda: states(url) == ["well"] * 4, 60, f"{name} is over")

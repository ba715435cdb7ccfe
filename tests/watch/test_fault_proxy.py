"""The proxy does what it is told to, or the loop behind it would prove nothing."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pytest_mlgates.demo.fault_proxy import Fault, FaultProxy, fault_proxy


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "18")
            self.send_header("X-Model-Run-Id", "run-2")
            self.end_headers()
            self.wfile.write(b'{"predictions":[1]}'[:18])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with fault_proxy("127.0.0.1", server.server_port) as made:
        yield made
    server.shutdown()
    server.server_close()
    thread.join()


def ask(proxy: FaultProxy, timeout: float = 5) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("POST", "/invocations", b"{}")
        answer = connection.getresponse()
        return answer.status, answer.headers.get("X-Model-Run-Id", ""), answer.read()
    finally:
        connection.close()


def test_without_a_fault_the_answer_is_the_models(proxy: FaultProxy) -> None:
    assert ask(proxy) == (200, "run-2", b'{"predictions":[1]')


def test_errors_and_wrong_answers(proxy: FaultProxy) -> None:
    proxy.fault = Fault(errors=1.0)
    assert ask(proxy)[0] == 500
    proxy.fault = Fault(wrong=1.0)
    assert ask(proxy) == (200, "run-2", b'{"predictions":[0]')


def test_latency_stalls_and_resets(proxy: FaultProxy) -> None:
    proxy.fault = Fault(latency_s=0.2)
    begun = time.monotonic()
    ask(proxy)
    assert time.monotonic() - begun >= 0.2
    proxy.fault = Fault(stalls=1.0)
    with pytest.raises(TimeoutError):
        ask(proxy, timeout=0.3)
    proxy.fault = Fault(resets=1.0)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(proxy)


def test_only_the_run_that_is_named_is_touched_and_the_share_is_kept(proxy: FaultProxy) -> None:
    proxy.fault = Fault(errors=1.0, runs=("run-3",))
    assert ask(proxy)[0] == 200
    proxy.fault = Fault(errors=0.3, runs=("run-2",))
    codes = [ask(proxy)[0] for _ in range(200)]
    assert 30 <= codes.count(500) <= 90


def test_what_callers_got_is_counted(proxy: FaultProxy) -> None:
    ask(proxy)
    proxy.fault = Fault(errors=1.0, latency_s=0.06)
    ask(proxy)
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'http_requests_total{route="model",code="200"} 1\n' in text
    assert 'http_requests_total{route="model",code="500"} 1\n' in text
    assert 'http_request_duration_seconds_bucket{route="model",le="+Inf"} 2\n' in text
    assert 'http_request_duration_seconds_bucket{route="model",le="0.05"} 1\n' in text

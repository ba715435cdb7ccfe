"""A proxy that spoils chosen answers of an HTTP server: the network between a client and its registry."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["500 before", "500 after", "409 after", "reset before", "reset after", "silent after"]
FAULTS: tuple[Fault, ...] = ("500 before", "500 after", "409 after", "reset before", "reset after", "silent after")
#: What MLflow's own basic-auth app answers, plain text for a wrong or expired login.
_WORDS = {"401": b"You are not authenticated.", "403": b'{"error_code": "PERMISSION_DENIED", "message": "denied"}'}


class Proxy:
    """Passes on every request, and spoils those whose position (from 0) is in `plan`. `seen` are their paths."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.plan: dict[int, Fault] = {}
        #: Spoils every request to a path that ends so.
        self.refused: tuple[str, str] = ("", "")
        self.seen: list[str] = []
        self.over = threading.Event()
        self._lock = threading.Lock()

    def begin(self, plan: dict[int, Fault]) -> None:
        with self._lock:
            self.plan, self.seen = plan, []

    def fault(self, path: str) -> str:
        with self._lock:
            self.seen.append(path)
            ending, fault = self.refused
            return fault if ending and path.endswith(ending) else self.plan.get(len(self.seen) - 1, "")


@contextlib.contextmanager
def proxied(upstream: int) -> Iterator[tuple[Proxy, str]]:
    proxy = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            fault = proxy.fault(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault.endswith("before"):
                return self._spoil(fault)
            connection = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault:
                return self._spoil(fault)
            return self._answer(answer.status, content)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass_on

        def _spoil(self, fault: str) -> None:
            if fault[:3].isdigit():
                return self._answer(int(fault[:3]), _WORDS.get(fault[:3], b'{"error_code": "INTERNAL_ERROR"}'))
            if fault.startswith("silent"):
                proxy.over.wait(30)
            # Linger 0: the client sees a reset, not an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return None

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests read what the client says, not this."""

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        proxy.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)

"""A server on loopback that hears what is sent to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Heard:
    """What came, in order; `status` is what is answered; while `stall` is not set nothing is."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    stall: threading.Event | None = None
    came: threading.Event = field(default_factory=threading.Event)


@contextmanager
def ears() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if heard.stall is not None:
                heard.stall.wait(30)
            heard.paths.append(self.path)
            heard.headers.append(dict(self.headers))
            heard.bodies.append(json.loads(body) if body[:1] in b"{[" else body.decode())
            heard.came.set()
            self.send_response(heard.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    heard.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        if heard.stall is not None:
            heard.stall.set()
        server.shutdown()
        server.server_close()
        thread.join(5)

"""A server that answers Prometheus' range queries from counters that a test describes, well or badly."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Rate = Callable[[float], float]


@dataclass
class Service:
    """What a service does: `rate` requests a second, shares of errors and of answers slower than a bound, each as a
    function of how many seconds ago it is.
    """

    rate: Rate = lambda ago: 20.0
    errors: Rate = lambda ago: 0.002
    slow: Callable[[float, float], float] = lambda ago, bound: 0.001 if bound >= 0.5 else 0.02
    #: No data newer than so many seconds.
    silent_since: float = 0.0

    def counter(self, of: Rate, now: float, times: list[float]) -> list[tuple[float, float]]:
        points, value = [], 1000.0
        for number, one in enumerate(times):
            ago = now - one
            if number:
                value += max(0.0, of(ago)) * (one - times[number - 1])
            if ago >= self.silent_since:
                points.append((one, value))
        return points


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that no longer waited is no fault of this server's; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class FakePrometheus:
    """`services` by the word that queries name them with; `tricks` are what is wrong with this server."""

    services: dict[str, Service] = field(default_factory=dict)
    tricks: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seen_headers: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> FakePrometheus:
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.tricks["stall"] = 0
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def series(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        now = time.time()
        times = [start + step * number for number in range(round((end - start) / step) + 1)]
        word = next((word for word in sorted(self.services, key=len, reverse=True) if f'"{word}"' in query), None)
        if word is None or self.tricks.get("empty"):
            return []
        service = self.services[word]
        if "bucket" in query:
            named = query.replace("\\", "")
            bounds = [
                b for b in (0.1, 0.25, 0.5, 1.0) if "+Inf" not in query or f'"{b:g}|' in named or f"|{b:g}|" in named
            ]
            found = [({"le": str(b)}, lambda ago, b=b: service.rate(ago) * (1 - service.slow(ago, b))) for b in bounds]
            found.append(({"le": "+Inf"}, service.rate))
        elif "5.." in query:
            found = [({"code": "500"}, lambda ago: service.rate(ago) * service.errors(ago))]
        else:
            found = [({"code": "all"}, service.rate)]
        return [{"metric": labels, "values": self._values(service.counter(of, now, times))} for labels, of in found]

    def _values(self, points: list[tuple[float, float]]) -> list[list[Any]]:
        if self.tricks.get("nan"):
            return [[t, "NaN"] for t, _ in points]
        if self.tricks.get("reset"):
            half = points[len(points) // 2][1]
            # Restarted in the middle: counts from zero again.
            return [[t, str(v if v < half else v - half)] for t, v in points]
        if "infinite" in self.tricks:
            return [[t, "+Inf"] for t, _ in points]
        return [[t, str(v)] for t, v in points]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                query = body["query"][0]
                fake.asked.append(query)
                fake.seen_headers.append(dict(self.headers))
                until = time.monotonic() + fake.tricks.get("stall", 0)
                while time.monotonic() < until and fake.tricks.get("stall"):
                    time.sleep(0.01)
                data: dict[str, Any] = {"resultType": "scalar", "result": [0, "1"]}
                if self.path.endswith("query_range"):
                    asked = (float(body[name][0]) for name in ("start", "end", "step"))
                    data = {"resultType": "matrix", "result": fake.series(query, *asked)}
                told = {"status": "success", "data": data, **fake.tricks.get("told", {})}
                text = fake.tricks.get("text", json.dumps(told))
                self.send_response(fake.tricks.get("status", 200))
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(time.time() + fake.tricks.get("skew", 0.0))

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def after(start: float, then: float, before: float) -> Rate:
    """`then` in the last `start` seconds, `before` until then."""
    return lambda ago: then if ago < start else before

"""A proxy before an endpoint that goes wrong as it is told: slow, failing, resetting, stalling, or answering wrongly.

It counts what callers got, as an ingress does, and shows the counts at /metrics; what is asked of the model (POST) and
of plain routes stands apart there, so that the one is the other's control. Only the model's answers are touched. One
thread, one event loop, the standard library; each request is one connection to the endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_ROUTES = ("model", "plain")
_ENDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True)
class Fault:
    """Shares of the requests that meet it, and `latency_s` of extra time for all; only answers whose X-Model-Run-Id is
    one of `runs` are touched, or all of them where none is named. A stall ends after `stall_s` without an answer."""

    errors: float = 0.0
    resets: float = 0.0
    stalls: float = 0.0
    wrong: float = 0.0
    latency_s: float = 0.0
    stall_s: float = 30.0
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Answer:
    status: int
    run: str
    body: bytes
    kind: str


class FaultProxy:
    """`fault` may be replaced at any time; `url` is where to ask."""

    def __init__(self, host: str, port: int, seed: int = 0) -> None:
        self.upstream, self.fault, self.url = (host, port), Fault(), ""
        self.codes: Counter[str] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._buckets: Counter[tuple[str, float]] = Counter()
        self._sum = dict.fromkeys(_ROUTES, 0.0)
        self._random = random.Random(seed)

    async def _serve(self, started: threading.Event, ended: asyncio.Event) -> None:
        server = await asyncio.start_server(self._caller, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        async with server:
            await ended.wait()
        # What still stalls ends with the loop.

    async def _caller(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _message(reader)) is not None:
                first, headers, body = asked
                if first.split()[1] == "/metrics":
                    writer.write(_response(200, "", self.metrics().encode(), "text/plain"))
                elif not await self._answered(writer, first, headers, body):
                    return
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def _answered(self, writer: asyncio.StreamWriter, first: str, headers: dict[str, str], body: bytes) -> bool:
        """False when the connection is over."""
        begun, fault = time.monotonic(), self.fault
        try:
            answer = await self._upstream(first, headers, body)
        except (OSError, asyncio.IncompleteReadError):
            answer = _Answer(502, "", b"", "text/plain")
        route = "model" if first.startswith("POST ") else "plain"
        touched = route == "model" and (not fault.runs or answer.run in fault.runs)
        drawn = self._random.random()
        if touched:
            await asyncio.sleep(fault.latency_s)
            if drawn < fault.resets:
                self._count(route, "reset", time.monotonic() - begun)
                writer.transport.abort()
                return False
            if drawn < fault.resets + fault.stalls:
                await asyncio.sleep(fault.stall_s)
                self._count(route, "stalled", time.monotonic() - begun)
                return False
            if drawn < fault.resets + fault.stalls + fault.errors:
                answer = _Answer(500, answer.run, b"{}", answer.kind)
            elif drawn < fault.resets + fault.stalls + fault.errors + fault.wrong:
                answer = _Answer(200, answer.run, answer.body.translate(_SWAPPED), answer.kind)
        self._count(route, str(answer.status), time.monotonic() - begun)
        writer.write(_response(answer.status, answer.run, answer.body, answer.kind))
        return True

    async def _upstream(self, first: str, headers: dict[str, str], body: bytes) -> _Answer:
        reader, writer = await asyncio.open_connection(*self.upstream)
        try:
            kept = {k: v for k, v in headers.items() if k not in ("host", "connection", "content-length")}
            told = {**kept, "host": "upstream", "connection": "close", "content-length": str(len(body))}
            head = "".join(f"{key}: {value}\r\n" for key, value in told.items())
            writer.write(f"{first}\r\n{head}\r\n".encode("latin-1") + body)
            await writer.drain()
            answer = await _message(reader)
            if answer is None:
                raise ConnectionResetError
            status, theirs, text = answer
            return _Answer(
                int(status.split()[1]), theirs.get("x-model-run-id", ""), text, theirs.get("content-type", "")
            )
        finally:
            writer.close()

    def _count(self, route: str, code: str, seconds: float) -> None:
        self.codes[code] += 1
        # Resets and stalls are what callers saw: no answer, which an ingress counts as 503.
        self._seen[route, code if code.isdecimal() else "503"] += 1
        self._sum[route] += seconds
        for end in _ENDS:
            self._buckets[route, end] += seconds <= end

    def metrics(self) -> str:
        lines = ["# TYPE http_requests_total counter"]
        shown = {(route, code): 0 for route in _ROUTES for code in ("200", "500")} | dict(self._seen)
        for (route, code), count in sorted(shown.items()):
            lines.append(f'http_requests_total{{route="{route}",code="{code}"}} {count}')
        name = "http_request_duration_seconds"
        lines += [f"# TYPE {name} histogram"]
        for route in _ROUTES:
            total = sum(count for (where, _), count in self._seen.items() if where == route)
            lines += [f'{name}_bucket{{route="{route}",le="{end:g}"}} {self._buckets[route, end]}' for end in _ENDS]
            lines += [f'{name}_bucket{{route="{route}",le="+Inf"}} {total}']
            lines += [f'{name}_sum{{route="{route}"}} {self._sum[route]}', f'{name}_count{{route="{route}"}} {total}']
        return "\n".join(lines) + "\n"


#: Wrong answers: every digit 0 becomes 1 and the other way round.
_SWAPPED = bytes.maketrans(b"01", b"10")


@contextlib.contextmanager
def fault_proxy(host: str, port: int) -> Iterator[FaultProxy]:
    """A proxy before host:port, until the block ends."""
    proxy, started = FaultProxy(host, port), threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(proxy._serve(started, ended))
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


async def _message(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    """(first line, headers in lower case, body) of a request or an answer with a length; None at the end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as end:
        if not end.partial:
            return None
        raise
    first, *lines = head.strip().split("\r\n")
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        return first, headers, await reader.readexactly(int(headers["content-length"]))
    return first, headers, await reader.read() if first.startswith("HTTP/") else b""


def _response(status: int, run: str, body: bytes, kind: str) -> bytes:
    told = {"Content-Type": kind or "application/json", "Content-Length": str(len(body))}
    if run:
        told["X-Model-Run-Id"] = run
    head = "".join(f"{key}: {value}\r\n" for key, value in told.items())
    return f"HTTP/1.1 {status} said\r\n{head}\r\n".encode("latin-1") + body

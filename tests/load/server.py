"""A small HTTP server whose truth is known: service times, stalls and faults are what it was told, nothing else.

    python tests/load/server.py --service 20 --spread 0.5 --stall-every 10 --stall 0.5

It says `{"port": ..., "began": ...}` on its standard output (`began` on the monotonic clock, which the processes of
one machine share) and ends when its standard input does. A stall freezes the whole process, as a garbage collection,
a lock, or a swapped-out worker would: what arrives or should leave meanwhile waits for its end. A request whose body
holds `"service_ms": X` is served in X ms. With `--coefficients` it is a logistic model that speaks MLflow's protocol.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable

SERVICE = re.compile(rb'"service_ms": ?([0-9.]+)')
LENGTH = re.compile(rb"(?i)content-length: *([0-9]+)")
OK = b'{"predictions": [0.25]}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


#: What `--leak` leaves behind.
KEPT: list[bytearray] = []


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


#: What a faulty server says instead of `OK`; None: it closes the connection, "": it never answers.
FAULTS: dict[str, bytes | None] = {
    "status": answer("503 Service Unavailable", b'{"error": "busy"}'),
    "error_200": answer("200 OK", b'{"error": "out of memory"}'),
    "nan": answer("200 OK", b'{"predictions": [NaN]}'),
    "short": answer("200 OK", b'{"predictions": []}'),
    "zero": answer("200 OK", b'{"predictions": [0.0]}'),
    "other": answer("200 OK", b'{"predictions": [0.75]}'),
    "html": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
    "redirect": answer("302 Found", b"", "Location: http://127.0.0.1:1/"),
    "half": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "close": None,
    "hang": b"",
}


class Served(asyncio.Protocol):
    """One connection: requests in, answers out, one after the other."""

    def __init__(self, options: argparse.Namespace, rng: random.Random, counted: list[int]) -> None:
        self.options, self.rng, self.counted = options, rng, counted
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        length = int(found[1]) if found else 0
        if not blank or len(rest) < length:
            return
        self.buffer = rest[length:]
        right = scored(rest[:length], self.options.coefficients) if self.options.coefficients else OK
        asked = SERVICE.search(rest)
        seconds = float(asked[1]) / 1000 if asked else self._service()
        lanes, now = self.options.lanes, time.monotonic()
        if lanes:
            lane = min(range(len(lanes)), key=lanes.__getitem__)
            if lanes[lane] > now and self.options.refuses:
                self.transport.write(FAULTS["status"] or b"")
                return
            lanes[lane] = max(lanes[lane], now) + seconds
            seconds = lanes[lane] - now
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._reply, right)
        else:
            self._reply(right)

    def _service(self) -> float:
        median, spread = self.options.service / 1000, self.options.spread
        return median * self.rng.lognormvariate(0, spread) if median else 0.0

    def _stream(self) -> None:
        """The first token at once, the end of the stream later."""
        self.transport.write(STREAM + b'data: {"choices": [{"text": "yes"}]}\n\n')

        def end() -> None:
            self.transport.write(b"data: [DONE]\n\n")
            self.transport.close()

        asyncio.get_running_loop().call_later(self.options.stream, end)

    def _reply(self, right: bytes) -> None:
        self.counted[0] += 1
        if self.options.leak:
            KEPT.append(bytearray(self.options.leak))
        if self.options.stream:
            self._stream()
            return
        said: bytes | None = answer("200 OK", right)
        faulty = self.counted[0] > self.options.after and self.rng.random() < self.options.share
        if self.options.fault and faulty:
            said = FAULTS[self.options.fault]
        if said is None:
            self.transport.abort()
        elif said:
            self.transport.write(said)
            if self.options.fault in ("half", "garbage") and faulty:
                self.transport.close()


def scored(body: bytes, coefficients: list[float]) -> bytes:
    """MLflow's answer of a logistic model without intercept: the score of each row."""
    rows = json.loads(body)["dataframe_split"]["data"]
    sums = [sum(c * x for c, x in zip(coefficients, row, strict=True)) for row in rows]
    return json.dumps({"predictions": [1 / (1 + math.exp(-one)) for one in sums]}).encode()


def stalls(loop: asyncio.AbstractEventLoop, began: float, every: float, length: float) -> Callable[[], None]:
    """Freezes the loop for `length` seconds at `began` + `every`, 2 `every`, and so on."""
    number = 0

    def freeze() -> None:
        nonlocal number
        if number:
            time.sleep(max(0.0, began + number * every + length - time.monotonic()))
        number += 1
        loop.call_later(began + number * every - time.monotonic(), freeze)

    return freeze


async def main(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    options.lanes = [0.0] * options.capacity  # when each is free again
    rng, counted = random.Random(options.seed), [0]
    await asyncio.sleep(options.slow_start)
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    server = await loop.create_server(
        lambda: Served(options, rng, counted), "127.0.0.1", options.port, backlog=4096, ssl=tls
    )
    began = time.monotonic()
    if options.stall:
        stalls(loop, began, options.stall_every, options.stall)()
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "began": began}), flush=True)
    ended = asyncio.Event()
    threading.Thread(target=_wait_for_the_end, args=(loop, ended), daemon=True).start()
    await ended.wait()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(ended.set)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--service", type=float, default=0.0, help="median service time, ms; lognormal")
    parser.add_argument("--spread", type=float, default=0.5, help="sigma of its logarithm")
    parser.add_argument("--stall", type=float, default=0.0, help="seconds a stall lasts")
    parser.add_argument("--stall-every", type=float, default=10.0, help="seconds from stall to stall")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="what some answers are instead of right")
    parser.add_argument("--share", type=float, default=1.0, help="share of the faulty answers")
    parser.add_argument("--after", type=int, default=0, help="right answers before the first faulty one may come")
    parser.add_argument("--coefficients", type=float, nargs="+", help="of the model it is; without them no model")
    parser.add_argument("--stream", type=float, default=0.0, help="server-sent events that end so much later, seconds")
    parser.add_argument("--capacity", type=int, default=0, help="requests served at once; 0: any number")
    parser.add_argument("--refuses", action="store_true", help="answers 503 past its capacity, instead of queueing")
    parser.add_argument("--leak", type=int, default=0, help="bytes that each request leaves behind")
    parser.add_argument("--certificate", help="a file with key and certificate, to speak TLS")
    parser.add_argument("--slow-start", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    asyncio.run(main(arguments().parse_args()))

"""Small real HTTP servers, each speaking one protocol about one logistic regression.

`serving(protocol)` starts one on loopback; `trouble` makes it misbehave in one way.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import math
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ("x1", "x2", "x3", "x4")
Answer = Callable[[dict[str, Any]], Any]


def logistic(*weights: float) -> Answer:
    """The score of a linear model of build_template.py."""

    def score(record: dict[str, Any]) -> float:
        total = sum(weight * float(record[name]) for name, weight in zip(COLUMNS, weights, strict=True))
        return 1 / (1 + math.exp(-total))

    return score


#: The versions 1 and 2 of build_template.py.
score = logistic(1.0, 0.6, 0.0, 0.0)
better = logistic(1.0, 1.0, 1.0, 0.0)


@dataclass
class Served:
    """A running server: where it is, what it was asked with, and how it answers from now on."""

    url: str = ""
    answers: Answer = score
    trouble: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


def mlflow(served: Served, path: str, asked: Any) -> tuple[str, bytes]:
    assert path == "/invocations"
    frame = asked["dataframe_split"]
    rows = [dict(zip(frame["columns"], row, strict=True)) for row in frame["data"]]
    return "application/json", json.dumps({"predictions": [served.answers(row) for row in rows]}).encode()


def kserve(served: Served, path: str, asked: Any) -> tuple[str, bytes]:
    assert path == "/v2/models/credit/infer"
    tensors = {one["name"]: one for one in asked["inputs"]}
    for one in tensors.values():
        assert len(one["data"]) == math.prod(one["shape"])
    if set(tensors) == {"features"}:
        rows, width = tensors["features"]["shape"]
        flat = tensors["features"]["data"]
        records = [dict(zip(COLUMNS, flat[row * width : (row + 1) * width], strict=True)) for row in range(rows)]
    else:
        rows = tensors["x1"]["shape"][0]
        records = [{name: tensors[name]["data"][row] for name in tensors} for row in range(rows)]
    data = [served.answers(record) for record in records]
    outputs = [{"name": "score", "shape": [rows, 1], "datatype": "FP64", "data": data}]
    return "application/json", json.dumps({"model_name": "credit", "outputs": outputs}).encode()


def bentoml(served: Served, path: str, asked: Any) -> tuple[str, bytes]:
    assert path == "/predict"
    return "application/json", json.dumps([served.answers(row) for row in asked["input_data"]]).encode()


def sse(served: Served, path: str, asked: Any) -> tuple[str, bytes]:
    assert path == "/v1/completions"
    assert asked["stream"] is True
    record = dict(zip(COLUMNS, asked["prompt"], strict=True))
    text = f"{served.answers(record):.12f}"
    events = [{"choices": [{"text": part}]} for part in (text[:4], text[4:])]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return "text/event-stream", "".join([": hello\n\n", *lines, "data: [DONE]\n\n"]).encode()


PROTOCOLS = {"mlflow": mlflow, "kserve": kserve, "json": bentoml, "sse": sse}


@contextlib.contextmanager
def serving(protocol: str = "mlflow", trouble: str = "", tls: Any = None, answers: Answer = score) -> Iterator[Served]:
    """A server that speaks `protocol`, on HTTPS with an SSL context in `tls`."""
    served = Served(trouble=trouble, answers=answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            # Clients that hang up, or do not speak TLS, are part of what is tested.
            with contextlib.suppress(OSError):
                super().handle()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.asked.append((self.path, dict(self.headers), json.loads(body)))
            kind, answer = PROTOCOLS[protocol](served, self.path, json.loads(body))
            _TROUBLE.get(served.trouble, _well)(self, kind, answer)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served.url = f"http{'s' if tls else ''}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _well(handler: Any, kind: str, answer: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(answer)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(answer)


def _json(text: str, status: int = 200, kind: str = "application/json", **headers: str) -> Callable[..., None]:
    return lambda handler, *_: _well(handler, kind, text.encode(), status, **headers)


def _half(handler: Any, kind: str, answer: bytes) -> None:
    """Promises all of the answer, sends half of it, and is gone."""
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(answer)))
    handler.end_headers()
    handler.wfile.write(answer[: len(answer) // 2])
    handler.close_connection = True


def _half_chunk(handler: Any, kind: str, answer: bytes) -> None:
    """The same without a length: in chunks, of which the last one never comes."""
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(answer), answer))
    handler.close_connection = True


def _mute(handler: Any, kind: str, answer: bytes) -> None:
    handler.close_connection = True


def _drip(handler: Any, kind: str, answer: bytes, **headers: str) -> None:
    """A byte now and then, which restarts the clock of every socket, until nobody listens any more."""
    handler.send_response(200)
    for name, value in {"Content-Type": kind, **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            threading.Event().wait(0.02)


def _idle_close(handler: Any, kind: str, answer: bytes) -> None:
    """Answers well and then hangs up without saying so, as a server does whose patience with idle clients ended."""
    _well(handler, kind, answer)
    handler.close_connection = True


_TROUBLE: dict[str, Callable[..., None]] = {
    "busy": _json('{"error": "too many requests, come back later"}', 503),
    "forbidden": _json('{"message": "no token given"}', 403),
    "error as 200": _json('{"error_code": "BAD_REQUEST", "message": "column x9 is missing"}'),
    "html": _json("<html><body><h1>Welcome to nginx!</h1></body></html>", kind="text/html"),
    "redirect": _json("", 307, Location="http://elsewhere/invocations"),
    "no json": _json("predictions: 1"),
    "other protocol": _json('{"outputs": []}'),
    "short": _json('{"predictions": [0.5]}'),
    "null": _json('{"predictions": [null, 0.5, 0.5]}'),
    "nan": _json('{"predictions": [NaN, 0.5, 0.5]}'),
    "zeros": _json('{"predictions": [0.0, 0.0, 0.0]}'),
    "half": _half,
    "half chunk": _half_chunk,
    "mute": _mute,
    "drip": lambda *given: _drip(*given, **{"Content-Length": "1000000"}),
    "drip to the end": lambda *given: _drip(*given, Connection="close"),
    "idle close": _idle_close,
}


@contextlib.contextmanager
def raw(answer: bytes) -> Iterator[str]:
    """Something that is no HTTP server: it says `answer` to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)

"""Server-sent events (WHATWG HTML, 9.2): an answer in parts, whose time is that of its first token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires.answers import accepted, checked, parsed, sentence
from pytest_mlgates.wires.base import JSON, joined
from pytest_mlgates.wires.plain import PlainJson, filled, followed


@dataclass(frozen=True, kw_only=True)
class Sse(PlainJson):
    """One row a request. `answer` is the way to the token in an event's JSON, the empty text for its bare data; `end`
    is the data of the last event, without which the stream was cut off; "" where the server sends no such event.
    """

    NAME = "sse"
    path: str = "/v1/completions"
    template: str = '{"prompt": {row}, "stream": true}'
    answer: str = "choices.0.text"
    end: str = "[DONE]"

    def call(self, url: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Call:
        headers = JSON | {"Accept": "text/event-stream"}
        return Call(joined(url, self.path), filled(self.template, columns, rows), headers, streamed=True)

    def begun(self, body: bytes) -> bool:
        """Whether the first token is in `body`, what has come so far. An event counts once its blank line is there."""
        whole = body[: max(body.rfind(b"\n\n"), body.rfind(b"\r\n\r\n"), body.rfind(b"\r\r")) + 1]
        try:
            return any(self._tokens(whole))
        except CouldNotEvaluate:
            return False

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        accepted(status, headers, body, ("text/event-stream",))
        found = events(body)
        if self.end and (not found or found[-1][1] != self.end):
            raise CouldNotEvaluate(f"the stream was cut off after {len(found)} events: no {self.end!r} at its end")
        text = "".join(self._tokens(body))
        if not text:
            raise CouldNotEvaluate(f"the stream of {len(found)} events holds no token")
        return checked([text], rows, nonzero=False)

    def _tokens(self, body: bytes) -> list[str]:
        tokens = []
        for kind, data in events(body):
            if kind == "error":
                raise CouldNotEvaluate(f"the stream says error: {sentence(data.encode())}")
            if data == self.end:
                continue
            token = followed(parsed(data.encode()), self.answer) if self.answer else data
            if token is not None:
                tokens.append(token if isinstance(token, str) else json.dumps(token))
        return tokens


def events(body: bytes) -> list[tuple[str, str]]:
    """(type, data) of each event with data, in order."""
    found, kind, data = [], "message", list[str]()
    text = body.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if not line:
            if data:
                found.append((kind, "\n".join(data)))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
    return found

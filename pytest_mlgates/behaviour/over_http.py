"""The same questions to an endpoint: 400 and 422 refuse, 200 with a right answer answers, anything else breaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Call, Rows, Said
from pytest_mlgates.wires import by_name
from pytest_mlgates.wires.answers import sentence

_REFUSED = (400, 422)


class Reply(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Endpoint(Protocol):
    """What is needed of an endpoint here."""

    @property
    def wire(self) -> str: ...

    def call_plain(self, columns: tuple[str, ...], values: list[list[Any]]) -> Call: ...

    def send(self, call: Call) -> Reply: ...


def asked(endpoint: Endpoint, asks: Sequence[Rows]) -> list[Said]:
    """What it says of each frame; a protocol of one row a request is asked row by row."""
    # A declared safe value may be 0, so zeros are an answer here.
    wire: Any = dataclasses.replace(by_name(endpoint.wire), nonzero=False)  # type: ignore[type-var]
    if wire.one_row:
        return [_joined([_asked(endpoint, wire, [row]) for row in rows]) for rows in asks]
    return [_asked(endpoint, wire, rows) for rows in asks]


def _asked(endpoint: Endpoint, wire: Any, rows: Rows) -> Said:
    try:
        columns = tuple(rows[0])
        reply = endpoint.send(endpoint.call_plain(columns, [[row[name] for name in columns] for row in rows]))
    except CouldNotEvaluate as problem:
        return Said(broke=str(problem))
    if reply.status in _REFUSED:
        return Said(refused=f"HTTP {reply.status}: {sentence(reply.body)}")
    try:
        return Said(values=wire.read(reply.status, reply.headers, reply.body, len(rows)))
    except CouldNotEvaluate as problem:
        words = str(problem)
        return Said(broke=words if words.startswith("HTTP ") else f"HTTP {reply.status} with no right answer: {words}")


def _joined(said: list[Said]) -> Said:
    first = next((one for one in said if not one.answered), None)
    return first or Said(values=[value for one in said for value in one.values])

"""A model behind a URL, whoever started it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.serving.http_client import Client, Reply, Unreachable, tls_context
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires import by_name

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: What somebody says who starts just now: not there yet, too busy, a gateway before nothing.
_NOT_YET = {404, 429, 500, 502, 503, 504}
_PAUSE = 0.2
_FROM_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


class HttpEndpoint:
    """`name` is for people; `wire` the protocol's spec; `timeout` bounds an answer, in seconds."""

    processes: tuple[int, ...] = ()

    def __init__(
        self,
        name: str,
        url: str,
        wire: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        verify_tls: bool = True,
        ca: str = "",
    ) -> None:
        self.name, self.url = f"{name} at {url}", url
        self._wire = by_name(wire)
        self._headers = dict(headers or {})
        self._timeout = timeout
        self.verify_tls, self.ca = verify_tls, ca
        self._tls = tls_context(verify=verify_tls, ca=ca) if url.startswith("https:") else None
        self._own = threading.local()
        self._clients: list[Client] = []

    @property
    def wire(self) -> str:
        return self._wire.spec

    def call(self, rows: pd.DataFrame) -> Call:
        columns, values = plain_rows(rows)
        return self.call_plain(columns, values)

    def call_plain(self, columns: tuple[str, ...], values: list[list[Any]]) -> Call:
        """As `call`, for rows that are plain lists."""
        try:
            made = self._wire.call(self.url, columns, values)
        except ValueError as problem:
            raise CouldNotEvaluate(f"the rows cannot be asked about in JSON: {problem}") from None
        return Call(made.url, made.body, {**made.headers, **self._headers}, made.method, made.streamed)

    def send(self, call: Call) -> Reply:
        """One exchange, on a connection of the calling thread's own. Raises CouldNotEvaluate."""
        client = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = Client(self.url, self._timeout, self._tls)
            self._clients.append(client)
        try:
            return client.send(call)
        except CouldNotEvaluate as problem:
            raise type(problem)(f"{self.name}: {problem}") from None

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        return self._wire.read(status, headers, body, rows)

    def exchange(self, call: Call, rows: int) -> list[Any]:
        return self._read(self.send(call), rows)

    def answer(self, rows: pd.DataFrame) -> NDArray[Any]:
        import numpy as np

        return np.asarray(self.answer_plain(*plain_rows(rows)))

    def answer_plain(self, columns: tuple[str, ...], values: list[list[Any]]) -> list[Any]:
        """One value or list of values a row; a protocol of one row a request is asked row by row."""
        if self._wire.one_row and len(values) != 1:
            return [self.answer_plain(columns, [row])[0] for row in values]
        return self.exchange(self.call_plain(columns, values), len(values))

    def until_answering(self, rows: pd.DataFrame, within: float) -> list[Any]:
        """As `until_answering_plain`, for a DataFrame."""
        return self.until_answering_plain(*plain_rows(rows), within)

    def until_answering_plain(self, columns: tuple[str, ...], values: list[list[Any]], within: float) -> list[Any]:
        """The first answer, waiting up to `within` seconds for somebody who is not ready yet.

        What says that it is wrong (a redirect, another protocol, an error as an answer) is not waited for.
        Raises CouldNotEvaluate.
        """
        deadline = time.monotonic() + within
        first = values[:1] if self._wire.one_row else values
        while True:
            try:
                reply = self.send(self.call_plain(columns, first))
                if reply.status not in _NOT_YET or time.monotonic() > deadline:
                    return self._read(reply, len(first)) if first is values else self.answer_plain(columns, values)
            except Unreachable as problem:
                self.check_alive()
                if time.monotonic() > deadline:
                    raise CouldNotEvaluate(f"{problem}, tried for {within:g} s") from None
            time.sleep(_PAUSE)

    def refuse_zeros(self) -> None:
        """From now on an answer of zeros only is a wrong one: no golden row is answered so."""
        name, _, options = self._wire.spec.partition(" ")
        self._wire = by_name(f"{name} {json.dumps({**json.loads(options or '{}'), 'nonzero': True})}")

    def check_alive(self) -> None:
        """Raises CouldNotEvaluate when it is known that nobody will answer any more; of a URL it never is."""

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _read(self, reply: Reply, rows: int) -> list[Any]:
        try:
            return self.read(reply.status, reply.headers, reply.body, rows)
        except CouldNotEvaluate as problem:
            raise CouldNotEvaluate(f"{self.name}: {problem}") from None

    def __repr__(self) -> str:
        return f"<{self.name}>"


def plain_rows(frame: pd.DataFrame) -> tuple[tuple[str, ...], list[list[Any]]]:
    """(columns, rows) as JSON has them: a missing value is null, a time its ISO 8601 text."""
    columns = [_plain_column(frame[name]) for name in frame.columns]
    return tuple(map(str, frame.columns)), [list(row) for row in zip(*columns, strict=True)]


def secret_headers(headers: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`headers` with every `env:NAME` in them replaced. Raises CouldNotEvaluate naming a variable that is not set."""

    found = dict(headers)
    for name, value in headers.items():
        for variable in _FROM_ENVIRONMENT.findall(value):
            if not environ.get(variable):
                raise CouldNotEvaluate(f"the header {name} takes {variable} from the environment, where it is not set")
        found[name] = _FROM_ENVIRONMENT.sub(lambda place: environ[place[1]], value)
    return found


def _plain_column(column: Any) -> list[Any]:
    missing = column.isna().tolist()
    return [None if gone else _plain(value) for value, gone in zip(column.tolist(), missing, strict=True)]


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (bool, int, float, str)):
        return value
    return float(value) if hasattr(value, "__float__") else str(value)

"""A service that answers features over HTTP: names and values a row, where a missing value is no error."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.serving.http_client import Client, tls_context
from pytest_mlgates.adapters.serving.http_endpoint import plain_rows, secret_headers
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires.answers import accepted, parsed
from pytest_mlgates.wires.plain import PlainJson, followed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


class FeatureService:
    """At `url`, asked `batch` rows a request by the wire "json" with `path`, `template` and `answer`."""

    def __init__(
        self, url: str, wire: PlainJson, *, headers: Mapping[str, str], batch: int = 100, timeout: float = 10.0
    ) -> None:
        self._url, self._wire, self._timeout = url, wire, timeout
        self._batch = 1 if wire.one_row else batch
        self._headers = secret_headers(headers, os.environ)

    def features(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Feature -> value for each of `rows`; null and NaN are None.

        Raises CouldNotEvaluate when a request is not answered with one object of plain values a row.
        """
        client = Client(self._url, self._timeout, tls_context(verify=True, ca="") if self._secure else None)
        columns, values = plain_rows(rows)
        found: list[dict[str, Any]] = []
        try:
            for start in range(0, len(values), self._batch):
                found += self._answered(client, columns, values[start : start + self._batch], start)
        finally:
            client.close()
        return found

    @property
    def _secure(self) -> bool:
        return self._url.startswith("https:")

    def _answered(self, client: Client, columns: tuple[str, ...], rows: list[list[Any]], start: int) -> list[Any]:
        asked = self._wire.call(self._url, columns, rows)
        where = f"rows {start} to {start + len(rows) - 1}"
        try:
            reply = client.send(Call(asked.url, asked.body, {**asked.headers, **self._headers}, asked.method))
            accepted(reply.status, reply.headers, reply.body, ("application/json",))
            answer = followed(parsed(reply.body), self._wire.answer)
        except CouldNotEvaluate as problem:
            raise CouldNotEvaluate(f"the features at {asked.url}, {where}: {problem}") from None
        answers = [answer] if self._wire.one_row and not isinstance(answer, list) else answer
        if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
            raise CouldNotEvaluate(
                f"the features at {asked.url}, {where}: the answer is no list of objects, feature -> value: say with "
                "`answer` where in it they are"
            )
        if len(answers) != len(rows):
            raise CouldNotEvaluate(f"the features at {asked.url}, {where}: {len(answers)} answers for {len(rows)} rows")
        return [{name: _missing(value) for name, value in one.items()} for one in answers]


def _missing(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value

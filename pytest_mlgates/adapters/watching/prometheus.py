"""Prometheus' HTTP API, or anything that answers like it (Thanos, Mimir, VictoriaMetrics): two calls, both bounded."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from pytest_mlgates.adapters.serving.http_client import Client, Reply, tls_context
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.metrics import Series
from pytest_mlgates.ports.serving import Call

#: Series in one answer; a query that gives more forgot to name a service.
_MOST = 5_000


class Prometheus:
    """`url` is the server's base; `timeout` bounds each answer, `skew` the difference of the clocks, in seconds."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        skew: float = 30.0,
        verify_tls: bool = True,
        ca: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._headers = url.rstrip("/"), dict(headers or {})
        self._timeout, self._skew, self._clock = timeout, skew, clock
        tls = tls_context(verify=verify_tls, ca=ca) if url.startswith("https:") else None
        self._client = Client(url, timeout, tls)
        self._offset: float | None = None

    @property
    def name(self) -> str:
        return f"Prometheus at {self._url}"

    def now(self) -> float:
        """By the Date of its answer. Raises CouldNotEvaluate when the clocks differ by more than `skew`."""
        if self._offset is None:
            self._get("/api/v1/query", {"query": "1"})
        assert self._offset is not None
        return self._clock() + self._offset

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        found = self._get("/api/v1/query_range", asked)
        if not isinstance(found, dict) or found.get("resultType") != "matrix":
            raise self._wrong("answers something else than a range of values", query)
        series = found.get("result")
        if not isinstance(series, list):
            raise self._wrong("answers something else than a range of values", query)
        if len(series) > _MOST:
            raise self._wrong(f"gives {len(series):,} series (at most {_MOST:,}): name the service in it", query)
        try:
            return [_series(one) for one in series]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._wrong("answers values that cannot be read", query) from None

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str, asked: Mapping[str, str]) -> Any:
        parts = urlsplit(self._url)
        body = urlencode({**asked, "timeout": f"{self._timeout:g}s"}).encode()
        url = urlunsplit((parts.scheme, parts.netloc, parts.path + path, "", ""))
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **self._headers}
        try:
            reply = self._client.send(Call(url, body, headers))
        except CouldNotEvaluate as problem:
            raise CouldNotEvaluate(f"{self.name}: {problem}") from None
        found = self._read(reply, asked["query"])
        self._hold_clocks_together(reply)
        return found

    def _read(self, reply: Reply, query: str) -> Any:
        try:
            told = json.loads(reply.body)
        except ValueError:
            told = None
        if reply.status in (401, 403):
            raise CouldNotEvaluate(
                f"{self.name} refuses the request (HTTP {reply.status}): give headers = "
                '{Authorization = "Bearer env:NAME"} in [tool.mlgates.prometheus]'
            )
        if not isinstance(told, dict) or "status" not in told:
            raise CouldNotEvaluate(
                f"{self.name} answers HTTP {reply.status} and not as Prometheus does: is this its base URL?"
            )
        if told["status"] != "success":
            raise self._wrong(f"says {str(told.get('error') or told['status'])[:300]!r}", query)
        for warning in told.get("warnings") or ():
            # An answer from a part of the data only is no answer about all of it.
            raise self._wrong(f"warns {str(warning)[:300]!r}", query)
        return told.get("data")

    def _hold_clocks_together(self, reply: Reply) -> None:
        """Windows begin at times that others wrote (a promotion): clocks that differ make them lie."""
        said = reply.headers.get("date", "")
        try:
            theirs = email.utils.parsedate_to_datetime(said).timestamp()
        except (TypeError, ValueError):
            self._offset = self._offset or 0.0
            return
        offset = theirs + 0.5 - self._clock()  # a Date has no fractions
        if abs(offset) > self._skew:
            way = "ahead of" if offset > 0 else "behind"
            raise CouldNotEvaluate(
                f"the clock of {self.name} is {abs(offset):.0f} s {way} this machine's (more than {self._skew:g} s): "
                "no window can be compared with the time of a promotion; set the clocks right"
            )
        self._offset = offset if abs(offset) > 1.0 else 0.0

    def _wrong(self, what: str, query: str) -> CouldNotEvaluate:
        return CouldNotEvaluate(f"{self.name} {what} for the query {query[:300]}")


def _series(told: Mapping[str, Any]) -> Series:
    points = tuple((float(time), float(value)) for time, value in told["values"])
    return Series(points, {str(key): str(value) for key, value in dict(told["metric"]).items()})

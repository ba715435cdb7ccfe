"""What a metrics server says of champion and control, as flows and points that the pure core judges."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.live.flow import Flow, Points, increments
from pytest_mlgates.policy import Prometheus
from pytest_mlgates.ports.metrics import Metrics, Series

#: A label that a query picks by.
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!=|!~|=)\s*[\"'`]")
_PLACE = "[tool.mlgates.prometheus]"
_EVERY = "+Inf"
#: The share of a control's requests that is slower than its own usual bound: enough of them to see a change.
_OWN_SLOW = 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """A metrics server, with the questions of the settings; `now` is by its clock, all times in seconds."""

    metrics: Metrics
    told: Prometheus
    now: float

    @property
    def controlled(self) -> bool:
        return bool(self.told.control or any(name.startswith("control_") for name in self.told.queries))

    def errors(self, back: float, step: float) -> tuple[Flow, Flow | None]:
        """Requests and wrong ones of champion and control in the last `back` seconds. Raises CouldNotEvaluate."""
        times = self._times(back, step)
        champion = self._shares(times, self.told.query("requests"), self.told.query("errors"))
        control = self.told.control_query("requests"), self.told.control_query("errors")
        return champion, self._control(times, *control)

    def slow(self, back: float, step: float, seconds: float) -> tuple[Flow, Flow | None, Flow | None]:
        """Requests and those slower than `seconds`, of champion and control, and the control's by its own usual.

        Raises CouldNotEvaluate when the histogram has no bucket that ends there.
        """
        times = self._times(back, step)
        series = self._asked(self.told.query("latency").replace("$le", _bounds(seconds)), times)
        champion = _slower(series, seconds, times, self._named("latency"))
        query = self.told.control_query("latency")
        if not query:
            return champion, None, None
        try:
            beside = self._asked(query.replace("$le", ".+"), times)
            return champion, _slower(beside, seconds, times, self._named("latency")), self._own(beside, times)
        except _Nothing:
            return champion, None, None

    def gauge(self, name: str, back: float, step: float) -> tuple[Points, Points | None]:
        """One value a step of champion and control. Raises CouldNotEvaluate."""
        times = self._times(back, step)
        champion = _one(self._asked(self.told.query(name), times), self._named(name))
        query = self.told.control_query(name)
        try:
            return champion, _one(self._asked(query, times), self._named(f"control_{name}")) if query else None
        except _Nothing:
            return champion, None

    def _times(self, back: float, step: float) -> list[float]:
        # Long steps end now as well, or their last one would be as old as a step.
        end = math.floor(self.now / self.told.step) * self.told.step
        return [end - step * place for place in range(math.ceil(back / step), -1, -1)]

    def _shares(self, times: Sequence[float], requests: str, errors: str) -> Flow:
        every, wrong = self._asked(requests, times), self._asked(errors, times, may_be_empty=True)
        missing = [] if wrong else _unknown_labels(requests, errors, every)
        if missing:
            raise CouldNotEvaluate(
                f"{self.metrics.name} has no data for {errors}, and what {requests} gives has no label {missing[0]!r}: "
                f"was it renamed? Errors that are not counted are not none; {_PLACE} says what is asked"
            )
        try:
            total, bad = increments(_points(every), times), increments(_points(wrong), times)
        except ValueError as problem:
            raise CouldNotEvaluate(f"{self.metrics.name}: {problem}, but requests and errors are counters") from None
        # A counter of errors appears with the first error: where requests are known, no errors are none.
        bad = tuple(0.0 if b is None and t is not None else b for t, b in zip(total, bad, strict=True))
        return Flow(tuple(times), total, bad)

    def _control(self, times: Sequence[float], requests: str, errors: str) -> Flow | None:
        if not requests:
            return None
        try:
            return self._shares(times, requests, errors)
        except _Nothing:
            return None

    def _asked(self, query: str, times: Sequence[float], *, may_be_empty: bool = False) -> list[Series]:
        """Series with the values that are numbers. Raises CouldNotEvaluate when there are none at all."""
        step = times[1] - times[0]
        found = self.metrics.query_range(query, times[0], times[-1], step)
        kept = [Series(tuple(p for p in one.points if not math.isnan(p[1])), one.labels) for one in found]
        kept = [one for one in kept if one.points]
        if found and not kept:
            raise CouldNotEvaluate(f"{self.metrics.name} answers only NaN to {query}: what is counted there?")
        if not kept and not may_be_empty:
            raise _Nothing(
                f"{self.metrics.name} has no data for {query}: was the metric renamed, are the labels right, is it "
                f"scraped? {_PLACE} says what is asked"
            )
        return kept

    def _own(self, beside: Sequence[Series], times: Sequence[float]) -> Flow | None:
        try:
            return _own(beside, times)
        except ValueError as problem:
            what = f"{self._named('latency')}: {problem}"
            raise CouldNotEvaluate(f"{what}, but a histogram's buckets are counters") from None

    def _named(self, name: str) -> str:
        return f"{self.metrics.name}, query {name!r} of {_PLACE}"


class _Nothing(CouldNotEvaluate):
    """A question to which there is no data."""


def _unknown_labels(requests: str, errors: str, every: Sequence[Series]) -> list[str]:
    """Labels by which `errors` picks from the very counter that `requests` asks for, and which that does not have."""
    names = [re.match(r"\s*([a-zA-Z_:][\w:]*)\s*\{", query) for query in (requests, errors)]
    if names[0] is None or names[1] is None or names[0][1] != names[1][1]:
        return []
    known = {label for one in every for label in one.labels}.union(_LABEL.findall(requests))
    return [label for label in _LABEL.findall(errors) if label not in known]


def _points(series: Sequence[Series]) -> list[Points]:
    return [one.points for one in series]


def _bounds(seconds: float) -> str:
    """The bucket's bound as clients write it, and the one that holds all, as a regular expression of PromQL."""
    spellings = {f"{seconds:g}", f"{seconds:.1f}" if seconds == round(seconds, 1) else f"{seconds:g}"}
    return "|".join([*sorted(re.escape(text).replace("\\", "\\\\") for text in spellings), "\\\\+Inf"])


def _slower(series: Sequence[Series], seconds: float, times: Sequence[float], name: str) -> Flow:
    every = [one.points for one in series if one.labels.get("le") == _EVERY]
    within = [one.points for one in series if _bound(one) == seconds]
    if not within:
        raise CouldNotEvaluate(
            f"{name}: the histogram has no bucket that ends at {seconds:g} s, so nobody knows how many requests took "
            f"longer: give it one, or set p99_ms to a bound it has"
        )
    try:
        return _above(increments(every, times), increments(within, times), times)
    except ValueError as problem:
        raise CouldNotEvaluate(f"{name}: {problem}, but a histogram's buckets are counters") from None


def _own(series: Sequence[Series], times: Sequence[float]) -> Flow | None:
    """Slow by the control's own measure: above the bound that a tenth or less of all its requests were above."""
    bounds = sorted({bound for one in series if math.isfinite(bound := _bound(one))})
    every = increments([one.points for one in series if one.labels.get("le") == _EVERY], times)
    count = sum(value or 0.0 for value in every)
    for bound in bounds:
        within = increments([one.points for one in series if _bound(one) == bound], times)
        if count and 1 - sum(value or 0.0 for value in within) / count <= _OWN_SLOW:
            return _above(every, within, times)
    return None


def _above(every: Sequence[float | None], within: Sequence[float | None], times: Sequence[float]) -> Flow:
    known = [None if a is None or b is None else max(0.0, a - b) for a, b in zip(every, within, strict=True)]
    total = tuple(None if bad is None else a for a, bad in zip(every, known, strict=True))
    return Flow(tuple(times), total, tuple(known))


def _bound(one: Series) -> float:
    try:
        return float(one.labels.get("le", "nan"))
    except ValueError:
        return math.nan


def _one(series: Sequence[Series], name: str) -> Points:
    if len(series) != 1:
        raise CouldNotEvaluate(f"{name} gives {len(series)} series: write a query that gives one")
    return series[0].points

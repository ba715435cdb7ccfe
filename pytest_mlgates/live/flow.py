"""Counters as a server samples them, turned into what happened in each step, and added up over windows."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests in equal steps: `total[i]` of them in the step that ends at `times[i]` (seconds), `bad[i]` of which
    were bad; None where nobody knows.
    """

    times: tuple[float, ...]
    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]

    def between(self, start: float, end: float) -> Sum:
        """What happened in the steps that end after `start` and not after `end`."""
        first, last = bisect_right(self.times, start + 1e-6), bisect_right(self.times, end + 1e-6)
        total = bad = 0.0
        known = 0
        for all_, wrong in zip(self.total[first:last], self.bad[first:last], strict=True):
            if all_ is not None and wrong is not None:
                total, bad, known = total + all_, bad + wrong, known + 1
        # A histogram's buckets are not scraped at one instant everywhere: never more bad ones than there were.
        return Sum(round(total), round(min(bad, total)), known, last - first)

    def edges(self, start: float, end: float) -> tuple[Sum, Sum]:
        """The first and the last step of the window."""
        first, last = bisect_right(self.times, start + 1e-6), bisect_right(self.times, end + 1e-6) - 1
        if not 0 <= first <= last:
            return Sum(0, 0, 0, 0), Sum(0, 0, 0, 0)
        return self._one(first), self._one(last)

    def _one(self, place: int) -> Sum:
        return self.between(self.times[place] - 1e-3, self.times[place])

    @property
    def last(self) -> float:
        """The end of the last step that is known, -inf without one."""
        known = (t for t, a, b in zip(*self._reversed(), strict=True) if a is not None and b is not None)
        return next(known, -math.inf)

    def _reversed(self) -> tuple[Sequence[float], Sequence[float | None], Sequence[float | None]]:
        return self.times[::-1], self.total[::-1], self.bad[::-1]


@dataclass(frozen=True, slots=True)
class Sum:
    """`bad` of `total` requests; `known` of `steps` steps have data."""

    total: int
    bad: int
    known: int
    steps: int

    @property
    def share(self) -> float:
        return self.bad / self.total if self.total else 0.0

    @property
    def covered(self) -> float:
        """Share of the steps that have data."""
        return self.known / self.steps if self.steps else 0.0


def increments(counters: Sequence[Points], times: Sequence[float]) -> tuple[float | None, ...]:
    """What all `counters` together grew by in each step; None where none of them has a value, or had one before.

    A counter that falls was started anew, and counts from zero (as Prometheus has it). What a counter has when it is
    seen first is of no known time and does not count. Raises ValueError for a value that no counter has.
    """
    place = {_key(time): number for number, time in enumerate(times)}
    grown: list[float | None] = [None] * len(times)
    for points in counters:
        before: float | None = None
        for time, value in points:
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{value:g} is no value of a counter")
            number = place.get(_key(time))
            if before is not None and number is not None:
                grown[number] = (grown[number] or 0.0) + (value - before if value >= before else value)
            before = value
    return tuple(grown)


def _key(time: float) -> int:
    return round(time * 1000)

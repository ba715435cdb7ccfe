"""From figures to places on an axis, and where its marks stand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis from `low` to `high`, drawn from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of `value`; what lies outside is drawn at the end."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / (high - low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def marks(self, about: int = 4) -> list[float]:
        """Round figures on the axis: about `about` of them, or powers of ten."""
        if self.log:
            lowest, highest = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if highest > lowest:
                every = max(1, math.ceil((highest - lowest) / 5))
                return [10.0**power for power in range(lowest, highest + 1, every)]
        step = _step((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _bent(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value


def around(values: Iterable[float], start: float, end: float, *, room: float = 0.08, log: bool = False) -> Scale:
    """An axis that holds all finite `values` with some `room` at both ends. Of none it is from 0 to 1."""
    held = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    if not held:
        return Scale(0.0, 1.0, start, end)
    low, high = min(held), max(held)
    if log:
        spread = max(high / low, 1.2) ** room
        return Scale(low / spread, high * spread, start, end, log=True)
    size = max(abs(low), abs(high))
    if high - low < max(1e-9 * size, 1e-30):
        half = 0.5 * (size if size > 1e-20 else 1.0)
        low, high = low - half, high + half
    spread = (high - low) * room
    return Scale(low - spread, high + spread, start, end)


def mark(value: float) -> str:
    """A round figure as an axis shows it."""
    return f"{value + 0.0:,.6g}"


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * (1 - 1e-9))

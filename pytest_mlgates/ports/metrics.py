"""What a metrics server remembers of what serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Series:
    """One series: (time in seconds since 1970, value), oldest first; a step without a value is left out."""

    points: tuple[tuple[float, float], ...]
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics(Protocol):
    """Asked for what was; everything raises CouldNotEvaluate with one sentence when no answer can be relied on."""

    @property
    def name(self) -> str:
        """For people: which server."""

    def now(self) -> float:
        """The server's own time, in seconds since 1970: windows end by its clock, never by ours."""

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """What `query` gave at start, start + step, ... end; no series at all is no error here."""

    def close(self) -> None:
        """End the connection."""

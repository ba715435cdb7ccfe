"""What was measured, about whom, on how much, with which interval. Knows nothing of verdicts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Plain data as JSON knows it.
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Interval:
    """Two-sided interval at `level`; its ends are the one-sided bounds at ``(1 + level) / 2``."""

    low: float
    high: float
    level: float
    method: str

    def __post_init__(self) -> None:
        for name in ("low", "high", "level"):
            object.__setattr__(self, name, float(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured figure.

    `measure` names the figure, `value` is the figure itself (None where nothing could be measured), `n` the
    number of rows, requests or repeats behind it, `interval` its uncertainty (None: the figure is exact).
    `cannot_say` is the reason why the data cannot answer (too few rows, say): rules make it INCONCLUSIVE.
    `where` narrows the figure to a slice, group or column. `details` holds further plain data for the report.
    Numpy scalars are accepted and turned into plain numbers.
    """

    measure: str
    value: float | None
    n: int = 0
    interval: Interval | None = None
    unit: str = ""
    where: str = ""
    cannot_say: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is not None:
            object.__setattr__(self, "value", float(self.value))
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "details", plain(self.details))

    @property
    def title(self) -> str:
        return f"{self.measure} [{self.where}]" if self.where else self.measure


def plain(value: Any) -> Any:
    """`value` as plain JSON data; numbers that JSON lacks become the words NaN, Infinity, -Infinity.

    Raises TypeError naming the type that cannot be written, so that nothing is stringified by accident.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return plain(value.tolist())
    raise TypeError(f"evidence holds plain data only, not {type(value).__name__}: {value!r}")


def number(value: Any) -> float:
    """The inverse of `plain` for one number."""
    return _NON_FINITE[value] if isinstance(value, str) else float(value)


def from_plain(data: Mapping[str, Any]) -> Evidence:
    """The inverse of ``plain(evidence)``; raises TypeError or KeyError when `data` is not such a mapping."""
    fields = dict(data)
    if fields.get("value") is not None:
        fields["value"] = number(fields["value"])
    if fields.get("interval") is not None:
        i = fields["interval"]
        fields["interval"] = Interval(number(i["low"]), number(i["high"]), number(i["level"]), i["method"])
    return Evidence(**fields)

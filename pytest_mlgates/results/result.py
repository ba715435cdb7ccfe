"""One tool's result: its tests, and when it was made."""

from __future__ import annotations

import datetime
import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["passed", "failed", "warned", "skipped", "crashed"]


class Unreadable(Exception):
    """The file is no such result; the text says what is in its place."""


@dataclass(frozen=True, slots=True)
class Test:
    """`said` is what the tool said of it, in its own words."""

    __test__ = False  # no test of pytest's
    name: str
    state: State
    said: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """`metrics` are figures without a verdict of the tool's own; `made` is when, where the file says so."""

    tests: tuple[Test, ...]
    made: datetime.datetime | None = None
    metrics: dict[str, float] = field(default_factory=dict)


def document(data: bytes) -> dict[str, Any]:
    """`data` as a JSON object. Raises Unreadable."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"it is not JSON, or it was cut off ({str(problem)[:100]})") from None
    if not isinstance(found, dict):
        raise Unreadable(f"it holds {type(found).__name__}, not an object")
    return found


def undefined(value: Any) -> bool:
    """Whether a NaN or an infinity is anywhere in `value`."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(undefined(one) for one in value.values())
    return isinstance(value, list) and any(undefined(one) for one in value)


def moment(text: Any) -> datetime.datetime | None:
    """An ISO time; one without a zone is taken for UTC. Raises Unreadable for what is no time; None for no text."""
    if text in (None, ""):
        return None
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        raise Unreadable(f"its time {str(text)[:60]!r} cannot be read") from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)

"""Whether two answers are the same answer, up to a relative tolerance."""

from __future__ import annotations

import math
from typing import Any


def alike(found: Any, expected: Any, tolerance: float) -> bool:
    """Equal, or numbers within `tolerance` of the expected one's size; lists part by part. NaN is like nothing."""
    if isinstance(expected, (list, tuple)):
        same_length = isinstance(found, (list, tuple)) and len(found) == len(expected)
        return same_length and all(alike(f, e, tolerance) for f, e in zip(found, expected, strict=True))
    if _number(expected) and _number(found):
        near = abs(float(found) - float(expected)) <= tolerance * abs(float(expected))
        return near and math.isfinite(float(found))
    return bool(type(found) is type(expected) and found == expected)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

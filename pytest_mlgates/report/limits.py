"""The limit of a finding, read back from its words, for the picture. A limit in other words draws no line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Instead of a limit: the figure is shown and not judged.
SHOWN_ONLY = ("reported", "no limit is set", "shown beside, not judged")
_LIMIT = re.compile(r"^(?:not proven (above|below)|(>=|<=|>|<)) (-?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\b")


@dataclass(frozen=True, slots=True)
class Limit:
    """`value` in the unit of the figure; good is at or above it, or (`above` false) at or below."""

    value: float
    above: bool


def limit_of(words: str) -> Limit | None:
    """The limit that `words` begin with (``>= -0.005``), or None where they hold none (``bytes match``)."""
    found = _LIMIT.match(words)
    if found is None:
        return None
    watched, sign, figure = found.groups()
    value = float(figure.replace(",", ""))
    if not math.isfinite(value):
        return None
    return Limit(value, above=sign in (">=", ">") if sign else watched == "below")

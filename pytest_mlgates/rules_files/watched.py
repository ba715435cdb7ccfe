"""What is known of the model and its service, as the rules need it."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A selector alone can be given to rate(); anything else needs a subquery.
_SELECTOR = re.compile(r"[a-zA-Z_:][\w:]*(\{[^{}]*\})?")


@dataclass(frozen=True, slots=True)
class Watched:
    """`requests`, `errors`, `latency` and `latency_p99` are queries about the champion's service, "" where there is
    none; those of the control begin with `control_`. `who` is the champion's labels. Limits are those of the gates;
    times are in seconds. `window` is the range of the rates that the short alerts look at."""

    model: str
    requests: str = ""
    errors: str = ""
    latency: str = ""
    latency_p99: str = ""
    control_requests: str = ""
    control_errors: str = ""
    who: str = ""
    runbooks: str = ""
    errors_limit: float = 0.02
    errors_for: float = 300.0
    errors_at_once: float = 0.05
    errors_at_once_for: float = 120.0
    p99_limit: float = 0.5
    p99_for: float = 300.0
    p99_at_once: float = 1.0
    p99_at_once_for: float = 300.0
    objective: float = 0.99
    fast: float = 10.0
    slow: float = 3.0
    every: float = 30.0
    golden_days: float = 90.0
    drill_days: float = 31.0
    data_days: float = 7.0
    window: float = 60.0
    drills: bool = False


def rate(query: str, seconds: float) -> str:
    """The rate of the counters `query`, all together."""
    if _SELECTOR.fullmatch(query.strip()):
        return f"sum(rate({query.strip()}[{span(seconds)}]))"
    return f"sum(rate(({query.strip()})[{span(seconds)}:]))"


def buckets(query: str, seconds: float) -> str:
    """The rate of a histogram's buckets; $le is any of them."""
    filled = query.replace("$le", ".+").strip()
    inner = f"{filled}[{span(seconds)}]" if _SELECTOR.fullmatch(filled) else f"({filled})[{span(seconds)}:]"
    return f"sum by (le) (rate({inner}))"


def span(seconds: float) -> str:
    """A duration as Prometheus writes it."""
    whole = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= size and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def quoted(text: str) -> str:
    """`text` as the value of a label in a query."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

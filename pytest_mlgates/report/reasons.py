"""The reasons of a decision as people read them: what many gates say alike is said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

#: What a gate says that waits for another.
NOT_RUN = "not run: "
#: So many gates that wait for the same one have a line each; more share one.
FEW = 2


def together(reasons: Sequence[str]) -> list[str]:
    """`reasons` in their order, with one line in the place of all the gates that were not run for the same cause."""
    counts = Counter(map(_cause, reasons))
    told: list[str] = []
    for reason in reasons:
        cause = _cause(reason)
        many = cause and counts[cause] > FEW
        line = f"{counts[cause]} gates {cause}" if many else reason
        told += [] if many and line in told else [line]
    return told


def _cause(reason: str) -> str:
    """What follows the gate's name where the gate was not run, else nothing."""
    _, found, words = reason.partition(f": {NOT_RUN}")
    return f"{NOT_RUN}{words}" if found else ""

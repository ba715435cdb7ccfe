"""How far an endpoint's answers are from the model's own."""

from __future__ import annotations

from typing import Protocol

from pytest_mlgates.evidence import Evidence

_SHOWN = 5


class Compared(Protocol):
    """A model behind HTTP whose answers can be compared with its own."""

    def compared(self, records: int) -> tuple[str, dict[int, float]]:
        """(kind of output, relative deviation by golden row). Raises CouldNotEvaluate."""


def record_deviation(served: Compared, records: int) -> Evidence:
    """The largest relative deviation over `records` golden rows; a wrong label deviates by 1."""
    kind, deviations = served.compared(records)
    worst = sorted(deviations, key=lambda row: -deviations[row])[:_SHOWN]
    details = {"kind": kind, "worst": {row: deviations[row] for row in worst}}
    return Evidence(f"deviation of {kind}", deviations[worst[0]], len(deviations), details=details)

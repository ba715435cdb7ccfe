"""The release gate for machine-learning models: what a gate of your own imports.

Names are loaded when first used, so that a pytest run without ``--mlgate`` pays for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_mlgates.baseline.log import log_baseline
    from pytest_mlgates.errors import CouldNotEvaluate
    from pytest_mlgates.evidence import Evidence, Interval
    from pytest_mlgates.gate import Gate
    from pytest_mlgates.golden import GoldenSet
    from pytest_mlgates.model import Model
    from pytest_mlgates.origin.stamping import stamp
    from pytest_mlgates.rules import at_least, at_most, better_by, is_true, not_above, not_below, not_worse_than
    from pytest_mlgates.verdict import Finding, Verdict

_HOME = {
    "CouldNotEvaluate": "errors",
    "Evidence": "evidence",
    "Finding": "verdict",
    "Gate": "gate",
    "GoldenSet": "golden",
    "Interval": "evidence",
    "Model": "model",
    "Verdict": "verdict",
    "at_least": "rules",
    "at_most": "rules",
    "better_by": "rules",
    "is_true": "rules",
    "log_baseline": "baseline.log",
    "not_above": "rules",
    "not_below": "rules",
    "not_worse_than": "rules",
    "stamp": "origin.stamping",
}

__all__ = [
    "CouldNotEvaluate",
    "Evidence",
    "Finding",
    "Gate",
    "GoldenSet",
    "Interval",
    "Model",
    "Verdict",
    "at_least",
    "at_most",
    "better_by",
    "is_true",
    "log_baseline",
    "not_above",
    "not_below",
    "not_worse_than",
    "stamp",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

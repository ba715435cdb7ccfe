"""One frozen, validated policy a kind of gate: its figures, with their defaults.

A policy is read from ``[tool.mlgates.KIND]`` and the keywords of the marker ``@pytest.mark.KIND(...)``
override it for one test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pytest_mlgates.policy.base import Names, Plain, Policy, as_tuple
from pytest_mlgates.policy.data import GoldenValidity, Skew
from pytest_mlgates.policy.fairness import Fairness
from pytest_mlgates.policy.features import PointInTime
from pytest_mlgates.policy.identity import Card, EnvLock
from pytest_mlgates.policy.quality import BootstrapAuc, Direction, GoldenRegression, Slices
from pytest_mlgates.policy.serving import Latency, RollbackDrill

__all__ = [
    "KINDS",
    "PHASES",
    "PHASE_OF_KIND",
    "STAGES",
    "STAGE_OF_KIND",
    "TIMING_KINDS",
    "BootstrapAuc",
    "Card",
    "Direction",
    "EnvLock",
    "Fairness",
    "GoldenRegression",
    "GoldenValidity",
    "Latency",
    "Names",
    "Phase",
    "Plain",
    "PointInTime",
    "Policy",
    "RollbackDrill",
    "Skew",
    "Slices",
    "as_tuple",
]

#: Marker name -> policy. `mlgate` is the marker; a kind is the same marker with a policy.
KINDS: Mapping[str, type[Policy]] = {
    "golden_regression": GoldenRegression,
    "bootstrap_auc": BootstrapAuc,
    "latency": Latency,
    "fairness": Fairness,
    "skew": Skew,
    "slices": Slices,
    "golden_validity": GoldenValidity,
    "point_in_time": PointInTime,
    "env_lock": EnvLock,
    "rollback_drill": RollbackDrill,
}

Phase = Literal["promotion", "live", "drill"]
PHASES: tuple[Phase, ...] = ("promotion", "live", "drill")

#: Cheapest and safest first: nothing is loaded before the identity stage has passed.
STAGES = ("identity", "data", "quality", "fairness", "behaviour", "explanation", "performance")

#: Kinds whose figures are times: they say nothing while other tests share the machine.
TIMING_KINDS = frozenset({"latency", "rollback_drill"})
STAGE_OF_KIND = {
    "env_lock": "identity",
    "golden_validity": "data",
    "point_in_time": "data",
    "skew": "data",
    "fairness": "fairness",
    "latency": "performance",
}
PHASE_OF_KIND: Mapping[str, Phase] = {"rollback_drill": "drill"}

"""One frozen, validated policy a kind of gate: its figures, with their defaults.

A policy is read from ``[tool.mlgates.KIND]`` and the keywords of the marker ``@pytest.mark.KIND(...)``
override it for one test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pytest_mlgates.policy.base import Names, Plain, Policy, as_tuple
from pytest_mlgates.policy.data import GoldenValidity, Skew
from pytest_mlgates.policy.endpoint import Endpoint
from pytest_mlgates.policy.fairness import Fairness
from pytest_mlgates.policy.features import PointInTime
from pytest_mlgates.policy.identity import ArtifactSafety, Card, EnvLock
from pytest_mlgates.policy.quality import BootstrapAuc, Direction, GoldenRegression, Slices
from pytest_mlgates.policy.serving import (
    ClusterSettings,
    GoldenRecord,
    InprocessLatency,
    Latency,
    Memory,
    Overload,
    RollbackDrill,
    Target,
)

__all__ = [
    "KINDS",
    "PHASES",
    "PHASE_OF_KIND",
    "STAGES",
    "STAGE_OF_KIND",
    "TIMING_KINDS",
    "ArtifactSafety",
    "BootstrapAuc",
    "Card",
    "ClusterSettings",
    "Direction",
    "Endpoint",
    "EnvLock",
    "Fairness",
    "GoldenRecord",
    "GoldenRegression",
    "GoldenValidity",
    "InprocessLatency",
    "Latency",
    "Memory",
    "Names",
    "Overload",
    "Phase",
    "Plain",
    "PointInTime",
    "Policy",
    "RollbackDrill",
    "Skew",
    "Slices",
    "Target",
    "as_tuple",
]

#: Marker name -> policy. `mlgate` is the marker; a kind is the same marker with a policy.
KINDS: Mapping[str, type[Policy]] = {
    "golden_regression": GoldenRegression,
    "bootstrap_auc": BootstrapAuc,
    "latency": Latency,
    "golden_record": GoldenRecord,
    "memory": Memory,
    "overload": Overload,
    "inprocess_latency": InprocessLatency,
    "fairness": Fairness,
    "skew": Skew,
    "slices": Slices,
    "golden_validity": GoldenValidity,
    "point_in_time": PointInTime,
    "artifact_safety": ArtifactSafety,
    "env_lock": EnvLock,
    "rollback_drill": RollbackDrill,
}

Phase = Literal["promotion", "live", "drill"]
PHASES: tuple[Phase, ...] = ("promotion", "live", "drill")

#: Cheapest and safest first: nothing is loaded before the identity stage has passed.
STAGES = ("identity", "data", "quality", "fairness", "behaviour", "explanation", "performance")

#: Kinds whose figures are times: they say nothing while other tests share the machine.
TIMING_KINDS = frozenset({"inprocess_latency", "latency", "memory", "overload", "rollback_drill"})
STAGE_OF_KIND = {
    "artifact_safety": "identity",
    "env_lock": "identity",
    "golden_validity": "data",
    "point_in_time": "data",
    "skew": "data",
    "fairness": "fairness",
    "golden_record": "behaviour",
    "latency": "performance",
    "memory": "performance",
    "overload": "performance",
    "inprocess_latency": "performance",
}
PHASE_OF_KIND: Mapping[str, Phase] = {"rollback_drill": "drill"}

"""One frozen, validated policy a kind of gate: its figures, with their defaults.

A policy is read from ``[tool.mlgates.KIND]`` and the keywords of the marker ``@pytest.mark.KIND(...)``
override it for one test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pytest_mlgates.policy.base import Names, Plain, Policy, as_tuple
from pytest_mlgates.policy.behaviour import Behaviour, InferenceHygiene, RegressionPairs
from pytest_mlgates.policy.data import GoldenValidity, Skew
from pytest_mlgates.policy.endpoint import Endpoint
from pytest_mlgates.policy.fairness import Fairness
from pytest_mlgates.policy.features import Parity, PointInTime
from pytest_mlgates.policy.identity import ArtifactSafety, Card, EnvLock
from pytest_mlgates.policy.imported import Imported
from pytest_mlgates.policy.live import (
    BurnRate,
    Canary,
    Live,
    LiveSkew,
    Prometheus,
    RollingQuality,
    ScoreDrift,
    Slo,
    Staleness,
)
from pytest_mlgates.policy.manifest import Manifest
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
from pytest_mlgates.policy.watch import Notify, Retrain, Webhook

__all__ = [
    "KINDS",
    "LIVE_TOO",
    "LOADS_NOTHING",
    "PHASES",
    "PHASE_OF_KIND",
    "STAGES",
    "STAGE_OF_KIND",
    "TIMING_KINDS",
    "ArtifactSafety",
    "Behaviour",
    "BootstrapAuc",
    "BurnRate",
    "Canary",
    "Card",
    "ClusterSettings",
    "Direction",
    "Endpoint",
    "EnvLock",
    "Fairness",
    "GoldenRecord",
    "GoldenRegression",
    "GoldenValidity",
    "Imported",
    "InferenceHygiene",
    "InprocessLatency",
    "Latency",
    "Live",
    "LiveSkew",
    "Manifest",
    "Memory",
    "Names",
    "Notify",
    "Overload",
    "Parity",
    "Phase",
    "Plain",
    "PointInTime",
    "Policy",
    "Prometheus",
    "RegressionPairs",
    "Retrain",
    "RollbackDrill",
    "RollingQuality",
    "ScoreDrift",
    "Skew",
    "Slices",
    "Slo",
    "Staleness",
    "Target",
    "Webhook",
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
    "regression_pairs": RegressionPairs,
    "behaviour": Behaviour,
    "inference_hygiene": InferenceHygiene,
    "manifest": Manifest,
    "golden_validity": GoldenValidity,
    "point_in_time": PointInTime,
    "parity": Parity,
    "artifact_safety": ArtifactSafety,
    "env_lock": EnvLock,
    "rollback_drill": RollbackDrill,
    "slo": Slo,
    "burn_rate": BurnRate,
    "score_drift": ScoreDrift,
    "live_skew": LiveSkew,
    "rolling_quality": RollingQuality,
    "staleness": Staleness,
    "canary": Canary,
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
    "parity": "data",
    "skew": "data",
    "fairness": "fairness",
    "golden_record": "behaviour",
    "regression_pairs": "behaviour",
    "behaviour": "behaviour",
    "inference_hygiene": "behaviour",
    "manifest": "explanation",
    "score_drift": "data",
    "live_skew": "data",
    "canary": "behaviour",
    "slo": "performance",
    "burn_rate": "performance",
    "latency": "performance",
    "memory": "performance",
    "overload": "performance",
    "inprocess_latency": "performance",
}
_LIVE = ("slo", "burn_rate", "score_drift", "live_skew", "rolling_quality", "staleness", "canary")
PHASE_OF_KIND: Mapping[str, Phase] = {"rollback_drill": "drill", **dict.fromkeys(_LIVE, "live")}

#: Kinds of another phase that judge the champion as well, in the phase live.
LIVE_TOO = frozenset({"golden_record", "inprocess_latency", "latency", "memory", "overload", "skew"})

#: Kinds that load neither model nor data, so that identity need not be proven first: when the registry or the golden
#: set is gone they are all there is.
LOADS_NOTHING = frozenset({"slo", "burn_rate", "staleness"})

"""One frozen, validated policy a kind of gate: its figures, with their defaults.

A policy is read from ``[tool.mlgates.KIND]`` and the keywords of the marker ``@pytest.mark.KIND(...)``
override it for one test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Margin = Annotated[float, Field(ge=0)]


class Policy(BaseModel):
    """Unknown keys and wrong types are refused; values never change after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GoldenRegression(Policy):
    """Not worse than the champion on each metric: the margin is how much worse is still tolerated."""

    metrics: Mapping[str, Margin] = {}
    alpha: Share = 0.05
    draws: Annotated[int, Field(ge=200)] = 2000
    seed: int = 0


class BootstrapAuc(Policy):
    """`better`: proven above 0 and by `gain` or more; otherwise the picture of not worse than `margin`."""

    better: bool = True
    gain: Margin = 0.005
    margin: Margin = 0.005
    alpha: Share = 0.05
    draws: Annotated[int, Field(ge=200)] = 2000
    seed: int = 0


class Latency(Policy):
    p99_ms: Annotated[float, Field(gt=0)] = 200.0
    errors: Share = 0.01


class Fairness(Policy):
    disparate_impact: Share = 0.8


class Skew(Policy):
    psi: Margin = 0.2
    watch: Margin = 0.1


class EnvLock(Policy):
    require_hashes: bool = False


class RollbackDrill(Policy):
    restore_s: Annotated[float, Field(gt=0)] = 180.0


class Plain(Policy):
    """A gate without a kind has no policy of its own."""


#: Marker name -> policy. `mlgate` is the marker; a kind is the same marker with a policy.
KINDS: Mapping[str, type[Policy]] = {
    "golden_regression": GoldenRegression,
    "bootstrap_auc": BootstrapAuc,
    "latency": Latency,
    "fairness": Fairness,
    "skew": Skew,
    "env_lock": EnvLock,
    "rollback_drill": RollbackDrill,
}

Phase = Literal["promotion", "live", "drill"]
PHASES: tuple[Phase, ...] = ("promotion", "live", "drill")

#: Cheapest and safest first: nothing is loaded before the identity stage has passed.
STAGES = ("identity", "data", "quality", "fairness", "behaviour", "explanation", "performance")

#: Kinds whose figures are times: they say nothing while other tests share the machine.
TIMING_KINDS = frozenset({"latency", "rollback_drill"})
STAGE_OF_KIND = {"env_lock": "identity", "skew": "data", "fairness": "fairness", "latency": "performance"}
PHASE_OF_KIND: Mapping[str, Phase] = {"rollback_drill": "drill"}

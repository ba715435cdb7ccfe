"""One frozen, validated policy a kind of gate: its figures, with their defaults.

A policy is read from ``[tool.mlgates.KIND]`` and the keywords of the marker ``@pytest.mark.KIND(...)``
override it for one test.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Margin = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Policy(BaseModel):
    """Unknown keys and wrong types are refused; values never change after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


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


class Slices(Policy):
    """No slice harmed: gain beyond the margin and proven harm. With nothing declared, the sensitive columns' groups.

    `columns`: a slice a value; `bins`: edges a numeric column; `crossed`: intersections; `where`: a pandas
    expression a name; `required`: slices that hold when too small to test; `found`: how many are searched for.
    """

    columns: Names = ()
    bins: Mapping[str, Annotated[tuple[float, ...], BeforeValidator(_as_tuple), Field(min_length=1)]] = {}
    crossed: Annotated[tuple[Annotated[Names, Field(min_length=2)], ...], BeforeValidator(_as_tuple)] = ()
    where: Mapping[str, Annotated[str, Field(min_length=1)]] = {}
    required: Names = ()
    found: Annotated[int, Field(ge=0, le=20)] = 3
    metric: str = ""
    margin: Margin = 0.02
    alpha: Share = 0.025  # half the usual: at .05 the family's alarms on top of the AUC's fail 6 % of unchanged models
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("bins")
    @classmethod
    def _ascending(cls, bins: Mapping[str, tuple[float, ...]]) -> Mapping[str, tuple[float, ...]]:
        for column, edges in bins.items():
            if not all(low < high for low, high in pairwise(edges)):
                raise ValueError(f"the edges of {column!r} must ascend: {list(edges)}")
        return bins

    @field_validator("where")
    @classmethod
    def _plain_predicates(cls, where: Mapping[str, str]) -> Mapping[str, str]:
        for name, predicate in where.items():
            if "@" in predicate or "__" in predicate:
                raise ValueError(f"{name!r} may compare columns and values only, without @ and __: {predicate!r}")
        return where


class GoldenValidity(Policy):
    """Whether the golden set can be trusted to judge.

    `training`: the training data (or its DVC pointer), `identifier`: a column that tells rows apart; `leak`: share
    of golden rows in training that is tolerated; `contradictions`: share of golden rows that have an equal row with
    another label; `refresh`: "block" holds on a set older than `refresh_days`, "warn" says so.
    """

    training: str = ""
    identifier: str = ""
    leak: Share = 0.01
    contradictions: Share = 0.2
    max_feature_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    linear_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    refresh_days: Annotated[int, Field(ge=1)] = 90
    refresh: Literal["warn", "block"] = "warn"
    alpha: Share = 0.05
    seed: Annotated[int, Field(ge=0)] = 0


class EnvLock(Policy):
    require_hashes: bool = False


class RollbackDrill(Policy):
    restore_s: Annotated[float, Field(gt=0)] = 180.0


class Card(Policy):
    """What only people know of a model, for its card: who answers for it, what it is for, where it must not be used."""

    owner: str = ""
    intended_use: str = ""
    limits: str = ""


class Plain(Policy):
    """A gate without a kind has no policy of its own."""


#: Marker name -> policy. `mlgate` is the marker; a kind is the same marker with a policy.
KINDS: Mapping[str, type[Policy]] = {
    "golden_regression": GoldenRegression,
    "bootstrap_auc": BootstrapAuc,
    "latency": Latency,
    "fairness": Fairness,
    "skew": Skew,
    "slices": Slices,
    "golden_validity": GoldenValidity,
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
    "skew": "data",
    "fairness": "fairness",
    "latency": "performance",
}
PHASE_OF_KIND: Mapping[str, Phase] = {"rollback_drill": "drill"}

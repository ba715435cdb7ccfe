"""What the user wrote, validated and frozen, each value with where it came from.

Command line > environment (``MLGATES_<KEY>``) > file (``[tool.mlgates]`` or ``mlgates.toml``) > default.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pytest_mlgates import policy, sources
from pytest_mlgates.errors import UsageError
from pytest_mlgates.policy import Names, as_tuple
from pytest_mlgates.validation import read


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else as_tuple(value)


Task = Literal["binary", "multiclass", "regression"]


class Waiver(BaseModel):
    """A gate that does not count for a while, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    gate: str
    reason: Annotated[str, Field(min_length=1)]
    expires: datetime.date | None = None

    def active(self, today: datetime.date) -> bool:
        return self.expires is None or today <= self.expires


class Settings(BaseModel):
    """Every setting. Paths are relative to `base`, the folder of the file they were written in."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: Annotated[str, Field(min_length=1, description='write model = "NAME", the registered model\'s name')]
    golden: Annotated[str, Field(description='write golden = "data/golden.parquet", the file DVC pins')]
    label: Annotated[str, Field(description='write label = "COLUMN", the golden set\'s label column')]
    task: Annotated[Task, Field(description='write task = "binary", "multiclass" or "regression"')]
    gates: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ("default",)
    gates_live: Names = ()
    gates_drill: Names = ()

    registry: str = ""
    champion: Annotated[str, Field(min_length=1)] = "champion"
    challenger: Annotated[str, Field(min_length=1)] = "challenger"
    budget: Literal["advise", "enforce"] = "advise"
    budget_size: Annotated[int, Field(ge=1)] = 20
    on_hand_move: Literal["report", "adopt", "revert"] = "report"
    audit: str = ".mlgates/audit.log"
    incidents: Annotated[str, Field(min_length=1)] = ".mlgates/incidents.jsonl"
    runbooks: str = ""
    former: Annotated[str, Field(min_length=1)] = "former-champion"
    drill_alias: Annotated[str, Field(min_length=1)] = "drill"
    cluster: policy.ClusterSettings | None = None

    ignore: Names = ()
    sensitive: Names = ()
    weight: str = ""
    group: str = ""
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    sampled: Literal["as_drawn", "balanced"] = "as_drawn"

    score: Literal["auto", "predict_proba", "predict"] = "auto"
    positive_class: str | int | bool = 1
    threshold: float | None = None
    scoring_timeout: Annotated[float, Field(gt=0)] = 600.0
    scoring_env: Names = ()

    phase: policy.Phase = "promotion"
    paths: Names = ()
    report: str = ".mlgates/report"
    waivers: Annotated[tuple[Waiver, ...], BeforeValidator(as_tuple)] = ()
    first_promotion: Mapping[str, float] | None = None
    allow_identical: bool = False

    golden_regression: policy.GoldenRegression = policy.GoldenRegression()
    bootstrap_auc: policy.BootstrapAuc = policy.BootstrapAuc()
    endpoint: policy.Endpoint = policy.Endpoint()
    golden_record: policy.GoldenRecord = policy.GoldenRecord()
    memory: policy.Memory = policy.Memory()
    overload: policy.Overload = policy.Overload()
    latency: policy.Latency = policy.Latency()
    inprocess_latency: policy.InprocessLatency = policy.InprocessLatency()
    fairness: policy.Fairness = policy.Fairness()
    skew: policy.Skew = policy.Skew()
    slices: policy.Slices = policy.Slices()
    regression_pairs: policy.RegressionPairs = policy.RegressionPairs()
    behaviour: policy.Behaviour = policy.Behaviour()
    inference_hygiene: policy.InferenceHygiene = policy.InferenceHygiene()
    manifest: policy.Manifest = policy.Manifest()
    golden_validity: policy.GoldenValidity = policy.GoldenValidity()
    point_in_time: policy.PointInTime = policy.PointInTime()
    parity: policy.Parity = policy.Parity()
    artifact_safety: policy.ArtifactSafety = policy.ArtifactSafety()
    env_lock: policy.EnvLock = policy.EnvLock()
    rollback_drill: policy.RollbackDrill = policy.RollbackDrill()
    card: policy.Card = policy.Card()
    imported: Annotated[tuple[policy.Imported, ...], BeforeValidator(as_tuple)] = ()
    notify: policy.Notify = policy.Notify()
    webhook: policy.Webhook = policy.Webhook()
    retrain: policy.Retrain = policy.Retrain()

    prometheus: policy.Prometheus = policy.Prometheus()
    live: policy.Live = policy.Live()
    slo: policy.Slo = policy.Slo()
    burn_rate: policy.BurnRate = policy.BurnRate()
    score_drift: policy.ScoreDrift = policy.ScoreDrift()
    live_skew: policy.LiveSkew = policy.LiveSkew()
    rolling_quality: policy.RollingQuality = policy.RollingQuality()
    staleness: policy.Staleness = policy.Staleness()
    canary: policy.Canary = policy.Canary()

    base: Path = Path()
    origins: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.weight and self.prevalence is not None:
            raise ValueError("weight and prevalence both correct for balancing; keep one of them")
        taken = {"label": self.label, "weight": self.weight, "group": self.group}
        for role, column in taken.items():
            if column and column in self.sensitive:
                raise ValueError(f"column {column!r} cannot be both {role} and sensitive")
        if self.former == self.champion:
            raise ValueError(f"former and champion are the same alias, {self.former!r}; give former another name")
        taken = {"champion": self.champion, "challenger": self.challenger, "former": self.former}
        for role, alias in taken.items():
            if self.drill_alias == alias:
                raise ValueError(
                    f"drill_alias and {role} are the same alias, {alias!r}, which a drill must never move; give "
                    "drill_alias another name"
                )
        if self.drill_alias.startswith("stage:") or self.drill_alias.isdigit() or "/" in self.drill_alias:
            raise ValueError(f"drill_alias must be an alias that a drill can move, not {self.drill_alias!r}")
        return self

    @property
    def golden_file(self) -> Path:
        return self.base / self.golden

    @property
    def report_dir(self) -> Path:
        return self.base / self.report

    @property
    def audit_file(self) -> Path:
        return self.base / self.audit

    @property
    def incidents_file(self) -> Path:
        return self.base / self.incidents

    @property
    def runs_dir(self) -> Path:
        """The last run of each phase, in brief."""
        return self.base / ".mlgates" / "runs"

    @property
    def cache_dir(self) -> Path:
        return self.base / ".mlgates" / "cache"

    @property
    def environments_dir(self) -> Path:
        """Environments built from the locks of versions; deletable at any time."""
        return self.base / ".mlgates" / "environments"

    @property
    def run_dir(self) -> Path:
        """Logs and notes of the processes that a run starts."""
        return self.base / ".mlgates" / "run"

    @property
    def reserved_columns(self) -> tuple[str, ...]:
        """Columns of the golden set that the model does not receive."""
        return tuple(c for c in (self.label, self.weight, self.group, *self.ignore) if c)

    def origin(self, key: str) -> str:
        return self.origins.get(key, "default")

    def policy_of(self, kind: str) -> policy.Policy:
        return getattr(self, kind) if kind in policy.KINDS else policy.Plain()


def load(start: Path, options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """The settings that hold for a run started in `start` with these command-line `options`.

    Raises UsageError when there are none, when a key is unknown, or when a value is wrong.
    """
    file = sources.find(start)
    if file is None:
        raise UsageError(
            f"no settings found in {start} or above: write [tool.mlgates] in pyproject.toml, "
            "or run `mlgates init`, which asks for the five that matter"
        )
    table, place = sources.table(file)
    known = set(Settings.model_fields) - {"base", "origins"}
    values, origins = sources.one_model(table, place, options.get("model"))
    for layer, words in (
        (sources.from_environment(environ, known), "environment"),
        ({k: v for k, v in options.items() if v is not None}, "command line"),
    ):
        for key, value in layer.items():
            if key == "model" and words == "command line" and "models" in table:
                continue
            values[key] = value
            origins[key] = _spelling(key, words)
    values["base"], values["origins"] = file.parent, origins
    return read(Settings, values, origins, place)


def _spelling(key: str, words: str) -> str:
    if words == "environment":
        return f"MLGATES_{key.upper()} in the environment"
    return f"--mlgate-{key} on the command line"

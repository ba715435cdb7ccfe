"""Champion against challenger slice by slice: declared slices and found ones, judged as one family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import DEFAULT_METRICS, correction, metrics_of
from pytest_mlgates.measure.slice_family import UNHARMED, Family, Scored, family
from pytest_mlgates.measure.slice_rows import declared_slices
from pytest_mlgates.measure.slice_search import found_slices, row_changes
from pytest_mlgates.model import Model
from pytest_mlgates.policy import GoldenRegression, Slices
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from pytest_mlgates.stats.metrics import Metric


def slice_gains(golden: GoldenSet, champion: Model, challenger: Model, policy: Slices, settings: Settings) -> Family:
    """The family of all declared slices and those found. Raises CouldNotEvaluate."""
    metric = _metric(policy, settings)
    slices = declared_slices(golden, policy)
    first, second = champion.scores(golden.X), challenger.scores(golden.X)
    weight, unweighted = correction(golden, settings)
    if metric.uses_prevalence and unweighted:
        return Family(Evidence(UNHARMED, None, len(golden), cannot_say=unweighted))
    if policy.found:
        change = row_changes(settings.task, golden.y, first, second)
        slices += found_slices(golden, change, most=policy.found, seed=policy.seed)
    scored = Scored(
        golden.y,
        first,
        second,
        weight if metric.uses_prevalence else None,
        golden.group,
        (champion.threshold, challenger.threshold),
    )
    return family(metric, scored, slices, policy)


def _metric(policy: Slices, settings: Settings) -> Metric:
    """The one named; else ROC AUC for a binary task, and the first metric of golden_regression for the others."""
    name = policy.metric or (DEFAULT_METRICS["binary"] if settings.task == "binary" else "")
    asked = GoldenRegression(metrics={name: policy.margin}) if name else settings.golden_regression
    try:
        return metrics_of(asked, settings)[0][0]
    except CouldNotEvaluate as problem:
        raise CouldNotEvaluate(f"slices: {problem}") from None

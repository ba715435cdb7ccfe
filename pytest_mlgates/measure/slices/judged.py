"""Champion against challenger slice by slice: declared slices and found ones, judged as one family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import DEFAULT_METRICS, answers, correction, metrics_of
from pytest_mlgates.measure.slices.family import UNHARMED, Family, Scored, family, nothing_found
from pytest_mlgates.measure.slices.rows import declared_slices
from pytest_mlgates.measure.slices.search import found_slices, row_changes
from pytest_mlgates.model import Model
from pytest_mlgates.policy import GoldenRegression, Slices
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from pytest_mlgates.stats.metrics import Metric


def slice_gains(golden: GoldenSet, champion: Model, challenger: Model, policy: Slices, settings: Settings) -> Family:
    """The family of all declared slices and those found. Raises CouldNotEvaluate."""
    metric = _metric(policy, settings)
    slices = declared_slices(golden, policy)
    first, second = answers(metric, golden, champion), answers(metric, golden, challenger)
    weight, unweighted = correction(golden, settings)
    if metric.uses_prevalence and unweighted:
        return Family(Evidence(UNHARMED, None, len(golden), cannot_say=unweighted))
    if policy.found:
        change = row_changes(settings.task, golden.y, first, second)
        found = found_slices(golden, change, most=policy.found, seed=policy.seed)
        if found == [] and not slices:
            return Family(nothing_found(metric, len(golden)))
        slices += found or []
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
    declared = settings.golden_regression.direction
    direction = {name: declared[name]} if name in declared else {}
    asked = GoldenRegression(metrics={name: policy.margin}, direction=direction) if name else settings.golden_regression
    try:
        return metrics_of(asked, settings)[0][0]
    except CouldNotEvaluate as problem:
        raise CouldNotEvaluate(f"slices: {problem}") from None

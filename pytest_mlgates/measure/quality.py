"""Champion against challenger on the same golden rows, metric by metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.named_metric import named_metric
from pytest_mlgates.model import Model
from pytest_mlgates.policy import GoldenRegression
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlgates.stats.metrics import Metric

#: Below this many rows in the rarer class no interval for a rank metric holds its level.
FEWEST = 10

#: What a golden regression judges when the settings name no metric, by task.
DEFAULT_METRICS = {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "regression": "rmse"}


class Asked(NamedTuple):
    """A configured metric: how much worse is tolerated, and the gain that must be proven (None: none need be)."""

    metric: Metric
    margin: float
    better: float | None = None


def metrics_of(policy: GoldenRegression, settings: Settings) -> list[Asked]:
    """The configured metrics. Raises CouldNotEvaluate for an unknown one."""
    from pytest_mlgates.stats.metrics import METRICS

    asked = dict(policy.metrics) or {(name := DEFAULT_METRICS[settings.task]): METRICS[name].default_margin}
    place = settings.origin("golden_regression")
    for key in ("better", "direction"):
        for name in getattr(policy, key):
            if name not in asked:
                raise CouldNotEvaluate(
                    f"{key} in golden_regression ({place}) names {name!r}, which is not judged: {', '.join(asked)}"
                )
    found = {name: named_metric(name, policy.direction, settings, place) for name in asked}
    return [Asked(found[name], margin, policy.better.get(name)) for name, margin in asked.items()]


def gain(
    metric: Metric,
    margin: float,
    golden: GoldenSet,
    champion: Model,
    challenger: Model,
    policy: GoldenRegression,
    settings: Settings,
    *,
    better: float | None = None,
    over: str = "",
) -> Evidence:
    """How much better the challenger is on `metric` (positive: better), with its paired two-sided interval
    at ``1 - 2 alpha``. `details` holds the `margin` (and `better`, the gain asked for) in the metric's unit: of an
    error such as the RMSE it is given as a share of the champion's. `over` names a champion that is the golden set's
    first one. Raises CouldNotEvaluate.
    """
    from pytest_mlgates.stats.paired import paired_difference
    from pytest_mlgates.stats.power import minimum_resolvable_margin, rows_needed

    title, n = f"{metric.name} gain", len(golden)
    where = f"over first champion {over}" if over else ""
    first, second = answers(metric, golden, champion), answers(metric, golden, challenger)
    weight, unweighted = correction(golden, settings)
    cannot_say = _too_few(golden, settings) or (unweighted if metric.uses_prevalence else "")
    if cannot_say:
        asked = {"margin": margin, "better": better}
        return Evidence(title, None, n, where=where, cannot_say=cannot_say, details=asked)
    try:
        d = paired_difference(
            metric,
            golden.y,
            first,
            second,
            weight=weight if metric.uses_prevalence else None,
            groups=golden.group,
            threshold_champion=champion.threshold,
            threshold_challenger=challenger.threshold,
            level=1 - 2 * policy.alpha,
            draws=policy.draws,
            seed=policy.seed,
        )
    except ValueError as problem:
        raise CouldNotEvaluate(f"{metric.name}: {problem}") from None
    unit = abs(d.champion) if metric.margin_unit == "relative" else 1.0
    aim = unit * (better or margin)
    needed = rows_needed(d.se, n, aim, rarer=_rarest(golden, settings), alpha=policy.alpha) if d.se > 0 < aim else ""
    details = {
        "margin": unit * margin,
        **({} if better is None else {"better": unit * better}),
        "champion": d.champion,
        "challenger": d.challenger,
        "direction": metric.direction,
        "standard_error": d.se,
        "resolvable_margin": minimum_resolvable_margin(d.se, alpha=policy.alpha),
        "rows_needed": str(needed),
        "identical": d.identical,
        "seed": policy.seed,
    }
    return Evidence(title, d.gain, n, Interval(d.low, d.high, d.level, d.method), where=where, details=details)


def answers(metric: Metric, golden: GoldenSet, model: Model) -> NDArray[Any]:
    """What `metric` is computed on: scores, or the classes a multiclass model chooses where those are enough.

    Raises CouldNotEvaluate.
    """
    if metric.task != "multiclass":
        return model.scores(golden.X)
    try:
        return model.chosen(golden.X) if metric.needs == "labels" else model.scores(golden.X)
    except CouldNotEvaluate as problem:
        raise CouldNotEvaluate(f"{metric.name}: {problem}") from None


def floor(metric: Metric, golden: GoldenSet, challenger: Model, settings: Settings) -> Evidence:
    """The challenger's own figure, for the first promotion, when there is no champion to compare with."""
    title, n = metric.name, len(golden)
    scores = answers(metric, golden, challenger)
    weight, unweighted = correction(golden, settings)
    cannot_say = _too_few(golden, settings) or (unweighted if metric.uses_prevalence else "")
    if cannot_say:
        return Evidence(title, None, n, cannot_say=cannot_say)
    try:
        if metric.name == "roc_auc":
            from pytest_mlgates.stats.delong import single_auc

            auc = single_auc(golden.y, scores, groups=golden.group)
            low, high = auc.interval(0.9)
            return Evidence(title, auc.auc, n, Interval(low, high, 0.9, "DeLong"))
        value = metric.value(
            golden.y, scores, weight=weight if metric.uses_prevalence else None, threshold=challenger.threshold
        )
    except ValueError as problem:
        raise CouldNotEvaluate(f"{metric.name}: {problem}") from None
    return Evidence(title, value, n)


def first_floors(settings: Settings) -> list[tuple[Metric, float]]:
    """The metrics with the limits that the first champion must reach. Raises CouldNotEvaluate when none are set."""
    if not settings.first_promotion:
        raise CouldNotEvaluate(
            f"{settings.model} has no champion ({settings.champion!r}) to compare with; to allow a first promotion "
            "write what it must reach, e.g. [tool.mlgates.first_promotion] roc_auc = 0.75"
        )
    direction, place = settings.golden_regression.direction, "first_promotion"
    return [(named_metric(name, direction, settings, place), limit) for name, limit in settings.first_promotion.items()]


def correction(golden: GoldenSet, settings: Settings) -> tuple[NDArray[Any] | None, str]:
    """(weight a row that undoes balanced sampling, or None; why metrics that depend on prevalence cannot be had)."""
    if golden.weight is not None:
        return golden.weight, ""
    if settings.sampled == "as_drawn":
        return None, ""
    if settings.prevalence is None or settings.task != "binary":
        return None, (
            "the golden set was balanced, so this figure needs the true prevalence: "
            "name a `weight` column (inverse sampling probability) or set `prevalence`"
        )
    share = float(golden.y.mean())
    positive, negative = settings.prevalence / share, (1 - settings.prevalence) / (1 - share)
    return golden.y * positive + (1 - golden.y) * negative, ""


def _too_few(golden: GoldenSet, settings: Settings) -> str:
    rarest = _rarest(golden, settings)
    if settings.task == "regression":
        return "" if len(golden) >= FEWEST else f"{len(golden)} rows; at least {FEWEST} are needed"
    if rarest is None or rarest >= FEWEST:
        return ""
    return f"{rarest} rows in the rarest class; at least {FEWEST} are needed, and 100 or more are advised"


def _rarest(golden: GoldenSet, settings: Settings) -> int | None:
    """Rows in the rarest class; a regression has none."""
    import numpy as np

    return None if settings.task == "regression" else int(np.unique(golden.y, return_counts=True)[1].min())

"""Each group's own figures: rates and ROC AUC with intervals, for the report and for limits every group must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.measure.fairness.group_lines import Lines
from pytest_mlgates.measure.quality import FEWEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlgates.stats.delong import SingleAuc
    from pytest_mlgates.stats.group_counts import GroupRates

#: Metrics of which less is better.
_LOWER = ("false_positive_rate",)
#: Rates whose value changes with the share of positives, which balanced sampling changes.
OF_PREVALENCE = ("selection_rate", "accuracy")


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The groups `names` with their rates, and the AUC of each: a figure, or why there is none."""

    names: Sequence[str]
    rates: GroupRates
    aucs: Mapping[str, SingleAuc | str]


def group_aucs(
    names: Sequence[str], codes: NDArray[Any], truth: NDArray[Any], scores: Any, clusters: NDArray[Any] | None
) -> dict[str, SingleAuc | str]:
    """ROC AUC of each group by DeLong, or why a group has none: `scores` (n,) is None for a model without any."""
    from pytest_mlgates.stats.delong import single_auc

    found: dict[str, SingleAuc | str] = {}
    for place, name in enumerate(names):
        if scores is None:
            found[name] = "the model gives no scores"
            continue
        rows = codes == place
        y = truth[rows]
        rarer = int(min(y.sum(), (~y).sum()))
        if rarer < FEWEST:
            found[name] = f"{rarer} in the rarer class, at least {FEWEST} are needed"
            continue
        try:
            found[name] = single_auc(y, scores[rows], groups=None if clusters is None else clusters[rows])
        except ValueError as problem:
            found[name] = str(problem)
    return found


def limit_evidence(
    family: str, metric: str, limit: float, figures: Figures, champion: Figures | None, alpha: float, unweighted: str
) -> list[Evidence]:
    """Lines on one metric of every group, to be held against ``at_least(limit)``, or ``at_most`` for an error rate.

    The side that passes needs every group and no correction; the side that fails is Bonferroni's over the groups.
    """
    rows, needed, groups, beside = {}, {}, [], {}
    for place, name in enumerate(figures.names):
        rows[name] = int(figures.rates.rows[place, 0])
        one = _figure(metric, place, name, figures, alpha, unweighted if metric in OF_PREVALENCE else "")
        groups.append(one)
        needed[name] = _needed(one, limit, rows[name], alpha)
        old = _figure(metric, place, name, champion, alpha, "") if champion else None
        if old is not None and old.value is not None:
            beside[name] = old.value
    return Lines(family, limit, metric not in _LOWER, rows, needed, beside).of(groups)


def lower_is_better(metric: str) -> bool:
    return metric in _LOWER


def _figure(metric: str, place: int, name: str, figures: Figures, alpha: float, unweighted: str) -> Evidence:
    from pytest_mlgates.stats.group_counts import RATES
    from pytest_mlgates.stats.group_gaps import wilson_limits
    from pytest_mlgates.stats.special import normal_quantile

    of_all = alpha / len(figures.names)
    if metric == "roc_auc":
        auc = figures.aucs[name]
        n = int(figures.rates.rows[place, 0])
        if isinstance(auc, str):
            return Evidence(metric, None, n, where=name, cannot_say=auc)
        (low, high), wide = auc.interval(1 - 2 * alpha), auc.interval(1 - 2 * of_all)
        interval = Interval(low, max(high, wide[1]), 1 - 2 * alpha, "DeLong, Bonferroni over the groups above")
        return Evidence(metric, auc.auc, n, interval, where=name)
    column = RATES.index(metric)
    n = int(figures.rates.rows[place, column])
    if unweighted or not n:
        return Evidence(metric, None, n, where=name, cannot_say=unweighted or "no row to take this rate over")
    value, effective = (part[place : place + 1, column] for part in (figures.rates.value, figures.rates.effective))
    near = wilson_limits(value, effective, normal_quantile(1 - alpha))
    far = wilson_limits(value, effective, normal_quantile(1 - of_all))
    ends = (far.low, near.high) if metric in _LOWER else (near.low, far.high)
    method = "Wilson, Bonferroni over the groups on the side that fails"
    return Evidence(
        metric, float(value[0]), n, Interval(float(ends[0][0]), float(ends[1][0]), 1 - 2 * alpha, method), where=name
    )


def _needed(one: Evidence, limit: float, rows: int, alpha: float) -> int | None:
    """Rows at which an interval of this width, shrunk by their root, would stay on its side of the limit."""
    from pytest_mlgates.stats.power import effect_in_errors, two_figures
    from pytest_mlgates.stats.special import normal_quantile

    if one.value is None or one.interval is None or one.value == limit:
        return None
    side = one.interval.low if one.value > limit else one.interval.high
    error = abs(one.value - side) / normal_quantile(1 - alpha)
    return two_figures(max(rows * (effect_in_errors(alpha=alpha) * error / abs(one.value - limit)) ** 2, rows + 1))


def group_table(
    figures: Figures, champion: Figures | None, alpha: float, unknown: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """For the report: each group's rows, and each rate as [value, low, high], the champion's value beside it.

    `unknown` names rates that cannot be had (a balanced set without weights).
    """
    from pytest_mlgates.stats.group_counts import RATES, SELECTION
    from pytest_mlgates.stats.group_gaps import wilson_limits
    from pytest_mlgates.stats.special import normal_quantile

    rates = figures.rates
    limits = wilson_limits(rates.value, rates.effective, normal_quantile(1 - alpha))
    table = []
    for place, name in enumerate(figures.names):
        row: dict[str, Any] = {"group": name, "rows": int(rates.rows[place, SELECTION])}
        row["effective_rows"] = round(float(rates.effective[place, SELECTION]), 1)
        for column, rate in enumerate(RATES):
            known = rate not in unknown and rates.rows[place, column] > 0
            row[rate] = [float(part[place, column]) for part in limits] if known else None
            if champion is not None and known:
                row[f"champion_{rate}"] = float(champion.rates.value[place, column])
        auc = figures.aucs[name]
        row["roc_auc"] = auc if isinstance(auc, str) else [auc.auc, *auc.interval(1 - 2 * alpha)]
        old = champion.aucs[name] if champion else ""
        if not isinstance(old, str):
            row["champion_roc_auc"] = old.auc
        table.append(row)
    return table

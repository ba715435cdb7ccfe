"""Which pictures say more than a line: chosen by what the details of the evidence hold.

Details are other people's data: a picture that cannot be drawn from them is left out, never the report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.report import charts
from pytest_mlgates.report.limits import Limit, limit_of
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.verdict import Judgement
from pytest_mlgates.wording import figure, shown

if TYPE_CHECKING:
    from markupsafe import Markup

#: Features whose two histograms are drawn, the furthest moved first.
MOST_PAIRS = 6
_ROLES = ("challenger", "champion")


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, what it shows in words, and the keys to its colours: (style, word)."""

    picture: Markup
    title: str
    says: str = ""
    keys: Sequence[tuple[str, str]] = field(default=())


def figures(judgements: Sequence[Judgement], thresholds: Mapping[str, float]) -> list[Figure]:
    """The pictures of one gate's judgements. `thresholds` by role is where scores become decisions."""
    found: list[Figure] = []
    pairs = 0
    for judgement in judgements:
        evidence = judgement.evidence
        for key, draw in _DRAWN.items():
            if key not in evidence.details or (key == "bins" and pairs >= MOST_PAIRS):
                continue
            try:
                found += draw(evidence, limit_of(judgement.finding.limit), thresholds)
            except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, AttributeError):
                continue
            pairs += key == "bins"
    return found


def _bootstrap(evidence: Evidence, limit: Limit | None, _: Mapping[str, float]) -> Iterator[Figure]:
    held = evidence.details["bootstrap"]
    if "edges" not in held:
        return
    lines = [(0.0, "", "zero")]
    lines += [(limit.value, f"limit {figure(limit.value)}", "limit")] if limit else []
    lines += [(evidence.value, shown(evidence, evidence.value), "measured")] if evidence.value is not None else []
    low, high = held["interval"]
    title = f"Bootstrap of the {clipped(evidence.measure)}"
    says = (
        f"{held['draws']:,} draws of the same golden rows; the middle {_level(evidence)} lie between "
        f"{shown(evidence, low)} and {shown(evidence, high)} (shaded). The interval that decides is the "
        f"{clipped(evidence.interval.method) if evidence.interval else 'exact'} one."
    )
    picture = charts.histogram(held["edges"], held["counts"], title, lines=lines, band=(low, high))
    yield Figure(picture, title, says, [("zero", "no gain")])


def _roc(evidence: Evidence, _: Limit | None, __: Mapping[str, float]) -> Iterator[Figure]:
    held = evidence.details["roc"]
    curves = {role: (held[role]["fpr"], held[role]["tpr"]) for role in reversed(_ROLES) if role in held}
    areas = {role: evidence.details.get(role) for role in _ROLES if role in curves}
    said = [f"{role} {figure(area)}" for role, area in areas.items() if isinstance(area, float)]
    says = f"Area under the curve: {', '.join(said)}." if said else ""
    yield Figure(charts.roc(curves, "ROC curves of both models"), "ROC", says, [(r, r) for r in reversed(curves)])


def _scores(evidence: Evidence, _: Limit | None, thresholds: Mapping[str, float]) -> Iterator[Figure]:
    held = evidence.details["scores"]
    counts = {role: (held[role]["negative"], held[role]["positive"]) for role in _ROLES if role in held}
    title = "Scores of golden rows"
    keys = [("negative", "rows of the negative class"), ("positive", "of the positive class"), ("limit", "threshold")]
    picture = charts.score_spread(held["edges"], counts, thresholds, f"{title}, by model and true class")
    yield Figure(picture, title, "Each class as a share of its own rows.", keys)


def _times(evidence: Evidence, limit: Limit | None, _: Mapping[str, float]) -> Iterator[Figure]:
    held, i = evidence.details["histogram"], evidence.interval
    if not isinstance(held, Mapping):
        return
    who = clipped(evidence.where) or evidence.subject or "model"
    lines = [(limit.value, f"limit {figure(limit.value)}{evidence.unit}", "limit")] if limit else []
    if evidence.value is not None and math.isfinite(evidence.value):
        word = f"{clipped(evidence.measure)} {shown(evidence, evidence.value)}"
        lines.append((evidence.value, word, "measured"))
    band = (i.low, i.high) if i and math.isfinite(i.low) and math.isfinite(i.high) else None
    title = f"Answering times of the {who}"
    quantiles = evidence.details.get("quantiles_ms", {})
    said = ", ".join(f"{name} {figure(_value(one))} ms" for name, one in quantiles.items())
    picture = charts.histogram(held["edges"], held["counts"], title, lines=lines, band=band, log=True)
    yield Figure(picture, title, f"{sum(held['counts']):,} answers on a logarithmic axis. {said}".strip())


def _moved(evidence: Evidence, _: Limit | None, __: Mapping[str, float]) -> Iterator[Figure]:
    held = evidence.details
    kept = [
        (name, old, new)
        for name, old, new in zip(held["bins"], held["baseline"], held["sample"], strict=True)
        if old or new
    ]
    names, before, now = zip(*kept, strict=True)
    feature = clipped(evidence.where) or "the feature"
    sudden = held.get("sudden")
    says = "Share of rows a bin; the figure is the move in percentage points."
    if sudden:
        says += f" Sudden: {clipped('; '.join(map(str, sudden)))}."
    keys = [("known", f"baseline, {sum(before):,} rows"), ("seen", f"sample, {sum(now):,} rows")]
    yield Figure(charts.pairs(names, before, now, f"{feature}, baseline and sample"), feature, says, keys)


def _level(evidence: Evidence) -> str:
    return f"{100 * evidence.interval.level:.4g} %" if evidence.interval else "part"


def _value(one: Any) -> float:
    """A quantile, alone or with its interval."""
    return float(one["value"] if isinstance(one, Mapping) else one)


_DRAWN: Mapping[str, Callable[[Evidence, Limit | None, Mapping[str, float]], Iterator[Figure]]] = {
    "bootstrap": _bootstrap,
    "roc": _roc,
    "scores": _scores,
    "histogram": _times,
    "bins": _moved,
}

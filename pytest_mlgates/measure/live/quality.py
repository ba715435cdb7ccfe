"""Labels that came late: is the champion worse than the one before it would have been on the same rows?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet, split
from pytest_mlgates.measure.named_metric import named_metric
from pytest_mlgates.measure.quality import DEFAULT_METRICS, gain
from pytest_mlgates.model import Model
from pytest_mlgates.policy import GoldenRegression, RollingQuality
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def rolling_gain(
    sample: Table,
    golden: GoldenSet,
    champion: Model | None,
    former: Callable[[], Model | None],
    problem: str,
    policy: RollingQuality,
    settings: Settings,
) -> Evidence:
    """The champion's gain over the former one on rows whose labels are known by now, paired; `problem` is why there is
    no former one. Raises CouldNotEvaluate when rows, labels or the champion cannot be had.
    """
    if champion is None:
        raise CouldNotEvaluate("there is no champion to judge")
    name = policy.metric or DEFAULT_METRICS[settings.task]
    rows, own = _labelled(sample, golden, policy, settings)
    metric = named_metric(name, {}, settings, "[tool.mlgates.rolling_quality] metric")
    title = f"{metric.name} gain"
    if len(rows) < policy.rows:
        why = f"{len(rows)} rows have their label by now; {policy.rows} are needed"
        return Evidence(title, None, len(rows), cannot_say=why)
    before = former()
    if before is None:
        return Evidence(title, None, len(rows), cannot_say=f"there is no former champion to compare with: {problem}")
    judged = GoldenRegression(alpha=policy.alpha)
    try:
        found = gain(metric, policy.margin, rows, before, champion, judged, own)
    except CouldNotEvaluate as trouble:
        # A former champion that does not load any more says nothing of the present one; whether that answers, it says.
        if metric.task == "multiclass":
            champion.output(rows.X)
        else:
            champion.scores(rows.X)
        return Evidence(title, None, len(rows), cannot_say=f"the former champion cannot be asked: {trouble}")
    return replace(found, where=f"over former champion v{before.version}")


def _labelled(
    sample: Table, golden: GoldenSet, policy: RollingQuality, settings: Settings
) -> tuple[GoldenSet, Settings]:
    """The rows with a label, as a golden set has them, and the settings that hold for them."""
    label, inputs, there = policy.label or settings.label, list(golden.X.columns), sample.types()
    for name in (label, *inputs):
        if name not in there:
            raise CouldNotEvaluate(f"the live sample {sample.name} has no column {name!r}: {did_you_mean(name, there)}")
    group = [settings.group] if settings.group in there else []
    frame: pd.DataFrame = sample.records([*inputs, label, *group], policy.most)
    frame = frame[frame[label].notna()]
    told: dict[str, Any] = {"label": label, "weight": "", "sensitive": (), "ignore": (), "group": "".join(group)}
    own = settings.model_copy(update={**told, "sampled": "as_drawn", "prevalence": None})
    rows = split(own, frame.reset_index(drop=True), settings.base / policy.sample, "live", "the live sample")
    return replace(rows, classes=golden.classes or rows.classes), own

"""Can this golden set be trusted to judge? Rows a class, rows that contradict each other, age."""

from __future__ import annotations

import datetime
from typing import Any

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import FEWEST
from pytest_mlgates.policy import GoldenValidity
from pytest_mlgates.ports.versions import History
from pytest_mlgates.settings import Settings
from pytest_mlgates.wording import YES_NO

#: Rows of a class below which no margin worth having can be resolved, and those from which most can.
ADVISED, BETTER = 200, 1000


def rarest_class(golden: GoldenSet, settings: Settings) -> Evidence:
    """Rows of the rarest class (of a regression: all rows), with an advice where they are few."""
    import numpy as np

    n = len(golden)
    if settings.task == "regression":
        return _enough("rows", n, n, {})
    labels, counts = np.unique(golden.y, return_counts=True)
    shown = {_class_name(golden, settings, label): int(count) for label, count in zip(labels, counts, strict=True)}
    return _enough("rows of the rarest class", int(counts.min()), n, shown)


def _enough(measure: str, rows: int, n: int, classes: dict[str, int]) -> Evidence:
    advice = ""
    if rows < ADVISED:
        advice = f"{rows} {measure}: {ADVISED} are needed for a margin worth having, {BETTER:,} are better"
    elif rows < BETTER:
        advice = f"{rows} {measure}: {BETTER:,} are better"
    cannot_say = f"{rows} {measure}; at least {FEWEST} are needed" if rows < FEWEST else ""
    details = {"classes": classes, "advice": advice}
    return Evidence(measure, float(rows), n, cannot_say=cannot_say, details=details)


def _class_name(golden: GoldenSet, settings: Settings, label: Any) -> str:
    """The label as the file has it, where `golden.y` holds its place in the classes, or 0 and 1."""
    if settings.task != "binary":
        return str(golden.classes[label])
    other = next((one for one in golden.classes if one != settings.positive_class), 0)
    return str(settings.positive_class if label == 1 else other)


def contradictions(golden: GoldenSet, policy: GoldenValidity) -> Evidence:
    """The share of golden rows whose features another row has with another label; exact interval.

    Honest data has some: different people answer a survey alike. No model can be right on both.
    """
    import numpy as np
    import pandas as pd

    from pytest_mlgates.stats.proportions import clopper_pearson

    n = len(golden)
    _, code = np.unique(pd.util.hash_pandas_object(golden.X, index=False).to_numpy(), return_inverse=True)
    label = pd.factorize(golden.y)[0]
    size = np.bincount(code)
    # Rows of equal features agree when all their labels are the first one's.
    first = np.zeros(len(size), dtype=label.dtype)
    first[code[::-1]] = label[::-1]
    at_odds = np.bincount(code[label != first[code]], minlength=len(size)) > 0
    rows = int(at_odds[code].sum())
    level = 1 - 2 * policy.alpha
    low, high = clopper_pearson(rows, n, level)
    details = {
        "rows": rows,
        "rows_with_an_equal_one": int((size[code] > 1).sum()),
        "remedy": "look at the labels of equal rows; where people answer alike and differ, say so with higher "
        "contradictions in [tool.mlgates.golden_validity]",
    }
    interval = Interval(low, high, level, "Clopper-Pearson")
    return Evidence("contradicting rows", rows / n, n, interval, details=details)


def fresh(golden: GoldenSet, history: History, policy: GoldenValidity, today: datetime.date | None = None) -> Evidence:
    """1 when the set was pinned within `refresh_days` of `today` (now), by the commit that first named its md5."""
    today = today or datetime.datetime.now(datetime.UTC).date()
    since = history.since(golden.version)
    if since is None:
        reason = "the pointer's present version is not committed to git, so its age is unknown: commit it"
        return _fresh(False, golden, {"reason": reason})
    day = datetime.datetime.fromtimestamp(since.time, datetime.UTC).date()
    young = (today - day).days <= policy.refresh_days
    reason = f"pinned on {day} in {since.commit[:7]}, {'less' if young else 'more'} than {policy.refresh_days} days ago"
    if young and history.shallow and since == history.versions[-1]:
        reason = f"the clone is shallow and begins on {day}, so the set may be older: fetch the whole history"
        return _fresh(False, golden, {"reason": reason})
    if not young:
        reason += ": draw and label new rows, `dvc add` them, and commit the pointer"
    return _fresh(young, golden, {"reason": reason, "commit": since.commit, "pinned_at": str(day)})


def _fresh(young: bool, golden: GoldenSet, details: dict[str, str]) -> Evidence:
    return Evidence("fresh", float(young), len(golden), unit=YES_NO, details=details)

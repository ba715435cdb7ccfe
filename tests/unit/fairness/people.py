"""Rows, settings and models that answer from a table, for tests that need no registry."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from pytest_mlgates.golden import GoldenSet, split
from pytest_mlgates.measure.fairness.compared import Figure, fairness_figures
from pytest_mlgates.policy import Fairness
from pytest_mlgates.rules import Rule, at_least, at_most, is_true
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

RULES: dict[str, Any] = {"at least": at_least, "at most": at_most, "true": is_true}


def settings_of(sensitive: list[str], **more: Any) -> Settings:
    given = {"model": "m", "golden": "g.csv", "label": "y", "task": "binary", "ignore": sensitive} | more
    origins = dict.fromkeys(more, "pyproject.toml")
    return Settings(sensitive=sensitive, origins=origins, **given)


def golden_of(frame: pd.DataFrame, settings: Settings) -> GoldenSet:
    return split(settings, frame, Path("g.csv"), "md5")


def model(role: str, answers: Any, *, threshold: float | None = None, labels: Any = None) -> Any:
    """Answers the scores `answers` (n,), and `labels` when asked to predict (default: the scores, as a bare model)."""
    return SimpleNamespace(
        role=role,
        pinned=f"{role} v1",
        threshold=0.5 if threshold is None else threshold,
        threshold_source="default" if threshold is None else "pyproject.toml",
        scores=lambda rows: np.asarray(answers, dtype=float),
        predict=lambda rows: np.asarray(answers if labels is None else labels),
        chosen=lambda rows: np.asarray(labels),
    )


def figures(
    frame: pd.DataFrame, settings: Settings, challenger: Any, champion: Any = None, **policy: Any
) -> list[Figure]:
    return fairness_figures(golden_of(frame, settings), champion, challenger, Fairness(**policy), settings)


def verdict(figure: Figure) -> Verdict:
    rule: Rule = RULES[figure.asked](figure.limit) if figure.asked != "reported" else None
    return Verdict.PASS if rule is None else rule(figure.evidence).verdict


def verdicts(made: list[Figure]) -> dict[str, Verdict]:
    return {one.evidence.title.split(" (champion")[0].rstrip("]"): verdict(one) for one in made}


def of(made: list[Figure], measure: str) -> list[Figure]:
    return [one for one in made if one.evidence.measure == measure]

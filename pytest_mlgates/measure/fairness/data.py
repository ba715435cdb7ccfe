"""Whom the models selected, on which rows: the golden set, or a declared production-representative sample.

A row is selected when the model decides for the positive class. The decision is the one a service would make: at the
declared threshold, else the model's own label. Scores without a threshold decide nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet, parsed, split
from pytest_mlgates.measure.quality import correction
from pytest_mlgates.model import THRESHOLD_TAG, Model
from pytest_mlgates.policy import Fairness
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE = "the fairness sample"


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What one model decided: `selected` (n,) bool, by which rule, and its scores (n,) where it has any."""

    selected: NDArray[Any]
    scores: NDArray[Any] | None
    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows that fairness is judged on. `truth` (n,) bool; `weight` (n,) undoes balanced sampling; `unweighted`
    says why figures that depend on prevalence cannot be had; `clusters` (n,) codes rows that belong together.
    `source` says which rows these are.
    """

    rows: GoldenSet
    truth: NDArray[Any]
    challenger: Decided
    champion: Decided | None
    weight: NDArray[Any] | None
    unweighted: str
    clusters: NDArray[Any] | None
    source: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.truth)


def judged_rows(
    golden: GoldenSet, champion: Model | None, challenger: Model, policy: Fairness, settings: Settings
) -> Judged:
    """Both models' decisions on the rows that the policy names. Raises CouldNotEvaluate."""
    if settings.task == "regression":
        raise CouldNotEvaluate(
            "fairness compares whom a model selects, and a regression selects nobody: leave the gate out, or judge "
            "its decisions in a gate of your own"
        )
    if settings.task == "multiclass" and settings.origin("positive_class") == "default":
        raise CouldNotEvaluate(
            'fairness needs to know which class is the one to be selected for: write positive_class = "...", one of '
            f"{', '.join(map(repr, golden.classes[:10]))}"
        )
    rows, source, settings = golden, {"rows": "golden set"}, settings
    if policy.sample:
        rows, source, settings = read_sample(settings, policy.sample)
    weight, unweighted = correction(rows, settings)
    return Judged(
        rows,
        _truth(rows, settings),
        decided(challenger, rows, golden, settings),
        decided(champion, rows, golden, settings) if champion else None,
        weight,
        unweighted,
        _clusters(rows, settings),
        source,
    )


def read_sample(settings: Settings, path: str) -> tuple[GoldenSet, dict[str, str], Settings]:
    """The sample at `path` (relative to the settings), its path and sha256, and the settings that hold for its rows.

    It is taken as drawn: `prevalence` and `sampled` are the golden set's, and a weight or ignored column that only
    the golden set has is not asked for. Raises CouldNotEvaluate.
    """
    file = settings.base / path
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise CouldNotEvaluate(f"{_SAMPLE} {file} cannot be read: {problem.strerror}") from None
    frame = parsed(file, data, _SAMPLE)
    own = {
        "weight": settings.weight if settings.weight in frame.columns else "",
        "ignore": tuple(column for column in settings.ignore if column in frame.columns),
        "prevalence": None,
        "sampled": "as_drawn",
    }
    of_sample = settings.model_copy(update=own)
    sha256 = hashlib.sha256(data).hexdigest()
    rows = split(of_sample, frame, file, sha256, _SAMPLE)
    return rows, {"rows": "declared production sample", "sample": path, "sample_sha256": sha256}, of_sample


def decided(model: Model, rows: GoldenSet, golden: GoldenSet, settings: Settings) -> Decided:
    """Whom `model` selects. Raises CouldNotEvaluate when it gives scores and nobody declared a threshold."""
    if settings.task == "multiclass":
        place = _place(golden.classes, settings, "the golden set")
        return Decided(model.chosen(rows.X) == place, None, f"predicted class {settings.positive_class!r}")
    if model.threshold_source != "default":
        scores = model.scores(rows.X)
        return Decided(scores >= model.threshold, scores, f"{model.threshold:g} ({model.threshold_source})")
    selected = _by_label(model, rows, golden, settings)
    try:
        scores = model.scores(rows.X)
    except CouldNotEvaluate:
        return Decided(selected, None, "the model's own labels")
    return Decided(selected, scores, "the model's own labels")


def _by_label(model: Model, rows: GoldenSet, golden: GoldenSet, settings: Settings) -> NDArray[Any]:
    import numpy as np

    name = f"{model.role} {model.pinned}"
    answers = np.asarray(model.predict(rows.X))
    if answers.shape[:1] != (len(rows),):
        given = answers.shape[0] if answers.ndim else "a single value"
        raise CouldNotEvaluate(f"{name} answered {given} rows for the {len(rows)} it was given")
    if answers.dtype.kind == "f" and not np.isfinite(answers).all():
        bad = int((~np.isfinite(answers)).reshape(len(rows), -1).any(axis=1).sum())
        raise CouldNotEvaluate(f"{name} answered NaN or infinity for {bad} of {len(rows)} rows")
    known = [str(one) for one in golden.classes] if answers.dtype.kind in "US" else list(golden.classes)
    positive = str(settings.positive_class) if answers.dtype.kind in "US" else settings.positive_class
    flat = answers.reshape(len(rows), -1)
    if flat.shape[1] != 1 or not np.isin(flat, known).all():
        raise CouldNotEvaluate(
            f"{name} answers scores, and nothing says from which score on a row is selected: write threshold = 0.5 "
            f"(say) in the settings, or tag the version with {THRESHOLD_TAG}"
        )
    return np.asarray(flat[:, 0] == positive)


def _truth(rows: GoldenSet, settings: Settings) -> NDArray[Any]:
    import numpy as np

    if settings.task == "binary":
        return np.asarray(rows.y == 1)
    return np.asarray(rows.y == _place(rows.classes, settings, str(rows.path)))


def _place(classes: tuple[Any, ...], settings: Settings, where: str) -> int:
    if settings.positive_class not in classes:
        raise CouldNotEvaluate(
            f"positive_class = {settings.positive_class!r} ({settings.origin('positive_class')}) is no label of "
            f"{where}, whose labels are {', '.join(map(repr, classes[:20]))}"
        )
    return classes.index(settings.positive_class)


def _clusters(rows: GoldenSet, settings: Settings) -> NDArray[Any] | None:
    import numpy as np
    import pandas as pd

    if rows.group is None:
        return None
    codes = pd.factorize(rows.group)[0]
    if (codes < 0).any():
        raise CouldNotEvaluate(
            f"{int((codes < 0).sum())} rows of {rows.path} have no value in the group column {settings.group!r}, so "
            "it is unknown which rows belong together"
        )
    return np.asarray(codes, dtype=np.int64)

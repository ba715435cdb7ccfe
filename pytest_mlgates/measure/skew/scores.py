"""Do the model's answers drift? Logged scores, or the sample's rows asked again, against those on known rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mlgates.baseline.describe import image
from pytest_mlgates.baseline.document import Column, Numbers
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.skew.column import Held, by_decile, numbers
from pytest_mlgates.measure.skew.feature import interval
from pytest_mlgates.model import Model
from pytest_mlgates.policy import Skew
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Floats

MEASURE = "score psi"


class Models(Protocol):
    """The run's models and golden set, each made when asked for."""

    @property
    def golden_set(self) -> GoldenSet: ...
    @property
    def champion(self) -> Model | None: ...
    @property
    def challenger(self) -> Model | None: ...


def score_drift(reference: Reference, sample: Table, run: Models, policy: Skew, settings: Settings) -> list[Evidence]:
    """The index of what the policy asks for: logged scores (`score`), and the model's on the sample (`rescored`).

    Raises CouldNotEvaluate when the column is missing or holds no scores, or a model does not answer.
    """
    found = []
    if policy.score:
        # What is logged the champion said; a challenger's training scores are not its scores.
        known = _known(reference, run, run.champion, settings, own=run.challenger is None)
        found.append(known if isinstance(known, Evidence) else _logged(known, sample, policy, settings))
    if policy.rescored:
        model = run.challenger or run.champion
        known = _known(reference, run, model, settings, own=True)
        found.append(known if isinstance(known, Evidence) else _asked(known, sample, run, model, policy))
    return found


def _known(
    reference: Reference, run: Models, model: Model | None, settings: Settings, *, own: bool
) -> Numbers | Evidence:
    """The scores to hold others against: the baseline's, else the model's on the golden set."""
    if own and reference.baseline is not None and reference.baseline.scores is not None:
        return reference.baseline.scores
    if model is None:
        return Evidence(MEASURE, None, cannot_say="there is no champion yet whose scores could have been logged")
    if settings.sampled == "balanced":
        why = "the golden set is balanced, so scores on it are not spread as live ones; log_baseline(scores=...) helps"
        return Evidence(MEASURE, None, cannot_say=why)
    return image(_flat(model.scores(run.golden_set.X)))


def _logged(known: Numbers, sample: Table, policy: Skew, settings: Settings) -> Evidence:
    types = sample.types()
    if policy.score not in types:
        raise CouldNotEvaluate(
            f"the live sample {sample.name} has no column {policy.score!r} of scores: "
            + did_you_mean(policy.score, types)
        )
    if types[policy.score].kind not in ("number", "integer"):
        raise CouldNotEvaluate(f"column {policy.score!r} of {sample.name} holds {types[policy.score].kind}, not scores")
    rows = sum(known.counts)
    with sample.column(policy.score) as column:
        held = numbers(Column(kind="number", rows=rows, nulls=0, numbers=known), column)
    low, high = (math.nan if end is None else end for end in (held.low, held.high))
    chances = settings.task != "regression" and known.low is not None and known.low >= 0 and (known.high or 0) <= 1
    if held.present == 0:
        raise CouldNotEvaluate(f"column {policy.score!r} of {sample.name} is empty: all {held.rows:,} scores are null")
    if chances and not (low >= 0 and high <= 1):
        raise CouldNotEvaluate(
            f"column {policy.score!r} of {sample.name} holds {low:g} to {high:g}, which are no probabilities"
        )
    return _index(held.before, held.now, policy, f"logged as {policy.score}")


def _asked(known: Numbers, sample: Table, run: Models, model: Model | None, policy: Skew) -> Evidence:
    import numpy as np

    assert model is not None
    inputs = list(run.golden_set.X.columns)
    lacking = [name for name in inputs if name not in sample.types()]
    if lacking:
        raise CouldNotEvaluate(
            f"the live sample {sample.name} lacks {lacking[0]!r}, without which no row can be scored"
        )
    scores = _flat(model.scores(sample.records(inputs, policy.rescored)))
    place = np.searchsorted(np.array(known.deciles), scores, side="right")
    now = np.bincount(place, minlength=len(known.deciles) + 1)
    return _index([*by_decile(known), 0], [*now.tolist(), 0], policy, f"{model.role}, asked again")


def _index(before: Any, now: Any, policy: Skew, where: str) -> Evidence:
    held = Held(before, now, sum(now), now[-1])
    psi = held.psi()
    details = {"known": list(before), "sample": list(now)}
    return Evidence(
        MEASURE,
        max(psi.value, 0.0),
        min(sum(before), sum(now)),
        interval(psi, before, now, policy),
        where=where,
        details=details,
    )


def _flat(scores: Any) -> Floats:
    """One number a row: of several classes the score of the likeliest."""
    found: Floats = scores if scores.ndim == 1 else scores.max(axis=1)
    return found

"""Have the scores that were given live moved away from the champion's own on the golden set?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.skew.scores import Models, score_drift
from pytest_mlgates.policy import ScoreDrift
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows whose scores are held for the distance of the two distributions.
_MOST = 100_000


def live_scores(sample: Table, run: Models, policy: ScoreDrift, settings: Settings) -> Evidence:
    """The index of the logged scores against the champion's on the golden rows, with the Kolmogorov-Smirnov distance
    and its p-value in the details. Raises CouldNotEvaluate when the column is not there, or no champion answers.
    """
    found = score_drift(Reference(), sample, run, policy, settings)
    if not found:
        raise CouldNotEvaluate("[tool.mlgates.score_drift] score is empty: name the column of logged scores")
    evidence = found[0]
    if evidence.cannot_say or run.champion is None:
        return evidence
    known = run.champion.scores(run.golden_set.X)
    if known.ndim > 1:
        return evidence
    distance, p = _distance(known, sample.records([policy.score], _MOST)[policy.score].dropna().to_numpy(float))
    return replace(evidence, details={**evidence.details, "ks": distance, "ks_p": p})


def _distance(known: NDArray[Any], now: NDArray[Any]) -> tuple[float, float]:
    """The distance, and Kolmogorov's asymptotic p-value (Smirnov 1948), which many rows make small for any shift."""
    import math

    from pytest_mlgates.stats.drift import ks_distance

    distance = ks_distance(known, now)
    scaled = distance * math.sqrt(len(known) * len(now) / (len(known) + len(now)))
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return distance, 1.0 if scaled < 0.2 else min(1.0, max(0.0, 2 * sum(terms)))

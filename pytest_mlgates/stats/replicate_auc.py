"""AUC of weighted replicates, 64 at a time, in whole numbers: the numpy path of the bootstrap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Bools, Floats
from pytest_mlgates.stats.resample import LANES, Counts

_ROWS = 2048  # rows taken at a time: the working arrays then stay in the processor's cache


class Ranking(NamedTuple):
    """One model's rows from lowest to highest score."""

    units: NDArray[np.int32]  # (n,) row of the counts each ranked row is weighted by
    positive: Bools  # (n,)


def rankings(labels: Bools, scores: Floats, unit_of_row: NDArray[np.int32]) -> list[Ranking]:
    """The orders whose U statistics average to the one with ties counted half.

    One order when no positive ties with a negative; else two, positives first and positives last in each tie.
    """
    order = np.argsort(scores)
    ranked, positive = scores[order], labels[order]
    tied = ranked[1:] == ranked[:-1]
    if not tied.any():
        return [Ranking(unit_of_row[order], positive)]
    orders = [np.lexsort((~labels, scores)), np.lexsort((labels, scores))]
    return [Ranking(unit_of_row[order], labels[order]) for order in orders]


def twice_u(ranking: list[Ranking], counts: Counts) -> NDArray[np.int64]:
    """Twice the weighted Mann-Whitney U of each of the 64 replicates, exact. Shapes: counts (units, 64)."""
    highest = max(1, int(counts.max()))
    # Within a chunk, sums of products stay below 2^31 whatever the counts are.
    rows = min(_ROWS, 2 * (46340 // highest))
    total = np.zeros(LANES, dtype=np.int64)
    for units, positive in ranking:
        total += _u(units, positive, counts, rows)
    return total if len(ranking) == 2 else 2 * total


def _u(units: NDArray[np.int32], positive: Bools, counts: Counts, rows: int) -> NDArray[np.int64]:
    total = np.zeros(LANES, dtype=np.int64)
    below = np.zeros(LANES, dtype=np.int64)
    for start in range(0, len(units), rows):
        here = positive[start : start + rows]
        chunk = units[start : start + rows]
        positives = counts.take(chunk[here], axis=0)
        negatives = counts.take(chunk[~here], axis=0)
        running = np.zeros((len(negatives) + 1, LANES), dtype=np.int32)
        np.cumsum(negatives, axis=0, dtype=np.int32, out=running[1:])
        seen = (np.cumsum(~here))[here]
        total += np.einsum("ij,ij->j", running.take(seen, axis=0), positives.astype(np.int32))
        total += below * positives.sum(axis=0, dtype=np.int64)
        below += running[-1]
    return total


def class_totals(ranking: Ranking, counts: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weighted rows of each class in each replicate, (64,) each: positives, negatives."""
    per_unit = np.bincount(ranking.units[ranking.positive], minlength=len(counts))
    others = np.bincount(ranking.units[~ranking.positive], minlength=len(counts))
    whole = counts.astype(np.float64)
    return (per_unit @ whole).astype(np.int64), (others @ whole).astype(np.int64)

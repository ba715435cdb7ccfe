"""Placements: where each row's score stands among the other class's scores. One sort a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Bools, Floats, Ints

Whole = NDArray[np.signedinteger[Any]]


def need_two_rows(y: Bools | Ints) -> None:
    """Raises ValueError where a class has one row: its share of the variance would then read as 0."""
    counts = np.bincount(y)
    if (alone := np.flatnonzero(counts == 1)).size:
        raise ValueError(f"class {int(alone[0])} has a single row; give at least two rows of each class")


def twice_placements(y: Bools, scores: Floats) -> Whole:
    """For a positive the negatives below it, for a negative the positives above it, in half rows: ties are 1.

    Shapes: y (n,) bool, scores (n,), result (n,), whole numbers and so exact. Source: the placements of DeLong,
    DeLong & Clarke-Pearson 1988, by one sort in place of the kernel matrix as in Sun & Xu 2014.
    """
    n = len(y)
    whole: Any = np.int32 if n < 2**30 else np.int64  # half the memory to move on all but enormous sets
    order = np.argsort(scores)
    negative = ~y[order]
    below = np.zeros(n + 1, dtype=whole)
    np.cumsum(negative, out=below[1:])
    n_pos = n - int(below[-1])
    first, last = _ties(scores[order])
    if first is None or last is None:
        found: Whole = below[:-1] + below[1:]
        ranks: Whole = np.arange(1, 2 * n, 2, dtype=whole)
    else:
        found = np.repeat(below[first] + below[last], last - first)
        ranks = np.repeat((first + last).astype(whole), last - first)
    # 2 n_pos - (ranks - found) where negative; arithmetic, as masked operations take ten times as long.
    found += (2 * n_pos - ranks) * negative
    place = np.empty_like(found)
    place[order] = found
    return place


def placements(y: Bools, scores: Floats) -> tuple[float, Floats]:
    """The AUC, and for each row the share of the other class on its right side, ties half: (n,) in [0, 1]."""
    n_pos = int(np.count_nonzero(y))
    n_neg = len(y) - n_pos
    twice = twice_placements(y, scores)
    auc = int(twice[y].sum(dtype=np.int64)) / (2 * n_pos * n_neg)
    return auc, np.asarray(twice * np.where(y, 0.5 / n_neg, 0.5 / n_pos), dtype=np.float64)


def _ties(ranked: Floats) -> tuple[Ints | None, Ints | None]:
    """First index and one-past-last index of each run of equal values, or (None, None) without ties."""
    changed = ranked[1:] != ranked[:-1]
    if changed.all():
        return None, None
    changes = np.flatnonzero(changed) + 1
    return np.concatenate(([0], changes)), np.concatenate((changes, [len(ranked)]))


def weighted_placements(y: Bools, scores: Floats, weight: Floats) -> tuple[float, Floats]:
    """As `placements`, with every row counted by its weight: the AUC of scikit-learn's `sample_weight`."""
    order = np.argsort(scores)
    ranked, positive, w = scores[order], y[order], weight[order]
    first, last = _ties(ranked)
    if first is None or last is None:
        first, last = np.arange(len(y)), np.arange(1, len(y) + 1)
    size = last - first
    negatives = np.concatenate(([0.0], np.cumsum(np.where(positive, 0.0, w))))
    positives = np.concatenate(([0.0], np.cumsum(np.where(positive, w, 0.0))))
    w_neg, w_pos = negatives[-1], positives[-1]
    if w_neg <= 0 or w_pos <= 0:
        raise ValueError("the weights of one class are all zero; give rows of both classes a weight above 0")
    below = np.repeat(negatives[first] + negatives[last], size) / (2 * w_neg)
    above = 1 - np.repeat(positives[first] + positives[last], size) / (2 * w_pos)
    auc = float((below[positive] * w[positive]).sum() / w_pos)
    place = np.empty(len(y))
    place[order] = np.where(positive, below, above)
    return auc, place

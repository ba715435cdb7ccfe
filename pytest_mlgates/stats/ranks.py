"""Placements: where each row's score stands among the other class's scores. One sort a model."""

from __future__ import annotations

import numpy as np

from pytest_mlgates.stats.checks import Bools, Floats, Ints


def need_two_rows(y: Bools | Ints) -> None:
    """Raises ValueError where a class has one row: its share of the variance would then read as 0."""
    counts = np.bincount(y)
    if (alone := np.flatnonzero(counts == 1)).size:
        raise ValueError(f"class {int(alone[0])} has a single row; give at least two rows of each class")


def placements(y: Bools, scores: Floats) -> tuple[float, Floats]:
    """The AUC and the DeLong placement of every row, ties counted half.

    Shapes: y (n,) bool, scores (n,), result (n,). For a positive the share of negatives below it, for a
    negative the share of positives above it. Source: DeLong, DeLong & Clarke-Pearson 1988; one sort in
    place of the kernel matrix as in Sun & Xu 2014.
    """
    n = len(y)
    order = np.argsort(scores)
    ranked, positive = scores[order], y[order]
    first, last = _ties(ranked)
    negatives = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(~positive, out=negatives[1:])
    n_neg = int(negatives[-1])
    n_pos = n - n_neg
    # Twice the mid-rank counts, so that all of it stays in whole numbers until the last division.
    if first is None or last is None:
        below = negatives[:-1] + negatives[1:]
        ranks = 2 * np.arange(n, dtype=np.int64) + 1
    else:
        below = np.repeat(negatives[first] + negatives[last], last - first)
        ranks = np.repeat(first + last, last - first)
    above = 2 * n_pos - (ranks - below)
    auc = int(below[positive].sum()) / (2 * n_pos * n_neg)
    place = np.empty(n)
    place[order] = np.where(positive, below * (0.5 / n_neg), above * (0.5 / n_pos))
    return auc, place


def _ties(ranked: Floats) -> tuple[Ints | None, Ints | None]:
    """First index and one-past-last index of each run of equal values, or (None, None) without ties."""
    changes = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    if len(changes) == len(ranked) - 1:
        return None, None
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
    auc = float(np.dot(below[positive], w[positive]) / w_pos)
    place = np.empty(len(y))
    place[order] = np.where(positive, below, above)
    return auc, place

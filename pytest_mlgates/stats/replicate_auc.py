"""AUC of weighted replicates, many side by side, in whole numbers: the numpy path of the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Bools, Floats, Ints
from pytest_mlgates.stats.resample import Counts, Layout, Seeds, draw_counts, layout

_ROWS = 2048  # rows taken at a time: the working arrays then stay in the processor's cache


class Ranking(NamedTuple):
    """A model's rows from lowest to highest score, in the one or two orders whose U average to its own.

    One order when no positive ties with a negative; else two, positives first and positives last in each tie.
    """

    units: NDArray[np.int32]  # (orders, n): row of the counts by which each ranked row is weighted
    positive: Bools  # (orders, n)


def orders(labels: Bools, scores: Floats) -> list[Ints]:
    """The orders of `Ranking` as row numbers. With ties a stable sort, so that every machine finds the same."""
    order = np.argsort(scores)
    ranked = scores[order]
    if (ranked[1:] == ranked[:-1]).any():
        return [np.lexsort((~labels, scores)), np.lexsort((labels, scores))]
    return [order]


def _ranking(labels: Bools, found: list[Ints], unit_of_row: NDArray[np.int32]) -> Ranking:
    return Ranking(np.stack([unit_of_row[order] for order in found]), np.stack([labels[order] for order in found]))


class Task(NamedTuple):
    """What every block of replicates needs."""

    plan: Layout
    champion: Ranking
    challenger: Ranking
    positives: Ints  # (units,) positive rows of each unit; empty when units are rows
    negatives: Ints


def prepare(
    labels: Bools, champion: Floats, challenger: Floats, codes: Ints | None, each: Callable[..., Any] = map
) -> Task:
    """Sort each model's scores once. Shapes: labels, champion, challenger, codes (n,).

    `each` is `map` or a thread pool's.
    """
    first, second = each(partial(orders, labels), (champion, challenger))
    plan = layout(labels, first[0], codes)
    units = plan.unit_of_row
    positives = negatives = np.empty(0, dtype=np.int64)
    if codes is not None:
        many = int(plan.sizes.sum())
        positives, negatives = (np.bincount(units[rows], minlength=many) for rows in (labels, ~labels))
    old, new = _ranking(labels, first, units), _ranking(labels, second, units)
    return Task(plan, old, new, positives, negatives)


def replicate_block(task: Task, seeds: Seeds, counts: Counts) -> Ints:
    """Twice U of the champion, twice U of the challenger, positives, negatives: (depth, 4, width).

    `counts` (units, width) is working memory, from `working_memory`.
    """
    plan = task.plan
    out = np.empty((plan.depth, 4, plan.width), dtype=np.int64)
    for depth in range(plan.depth):
        draw_counts(plan, seeds, depth, counts)
        out[depth, 0] = twice_u(task.champion, counts)
        out[depth, 1] = twice_u(task.challenger, counts)
        for i, rows in ((2, task.positives), (3, task.negatives)):
            out[depth, i] = np.einsum("i,ij->j", rows, counts, dtype=np.int64) if len(rows) else plan.sizes[i - 2]
    return out


def twice_u(ranked: Ranking, counts: Counts) -> Ints:
    """Twice the weighted Mann-Whitney U of each replicate, exact. Shapes: counts (units, width)."""
    # Within a chunk, sums of products stay below 2^31 whatever the counts are.
    rows = min(_ROWS, 2 * (46340 // max(1, int(counts.max()))))
    found = [_u(*order, counts, rows) for order in zip(*ranked, strict=True)]
    return found[0] + found[-1]


def _u(units: NDArray[np.int32], positive: Bools, counts: Counts, rows: int) -> Ints:
    width = counts.shape[1]
    total, below = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
    for start in range(0, len(units), rows):
        here = positive[start : start + rows]
        chunk = units[start : start + rows]
        positives = counts.take(chunk[here], axis=0)
        negatives = counts.take(chunk[~here], axis=0)
        running = np.zeros((len(negatives) + 1, width), dtype=np.int32)
        np.cumsum(negatives, axis=0, dtype=np.int32, out=running[1:])
        seen = np.cumsum(~here)[here]
        total += np.einsum("ij,ij->j", running.take(seen, axis=0), positives.astype(np.int32))
        total += below * positives.sum(axis=0, dtype=np.int64)
        below += running[-1]
    return total

"""Paired bootstrap: both models are scored on the same resampled rows.

Positives and negatives are resampled apart, so each replicate keeps the class sizes. Replicates come in
blocks whose random stream depends on the seed and the block's number alone: the same seed gives
the same numbers with or without numba, on any number of threads, and asking for more draws appends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_mlgates.stats.checks import (
    Floats,
    Ints,
    binary_labels,
    floats,
    group_codes,
    interval_level,
    weights,
)
from pytest_mlgates.stats.replicate_auc import Task, orders, prepare, replicate_block
from pytest_mlgates.stats.resample import Counts, Seeds, block_seeds, draw_counts, layout, working_memory
from pytest_mlgates.stats.variance import cluster_strata

EngineName = Literal["auto", "numpy", "numba"]
Engine = Callable[[Task, Seeds, Counts], Ints]
NUMBA_PAYS = 200_000_000  # rows times draws from which importing and compiling cost less than they save

MetricFunction = Callable[[NDArray[Any], NDArray[Any], Floats | None], float]


def paired_auc_bootstrap(
    y: ArrayLike,
    champion: ArrayLike,
    challenger: ArrayLike,
    *,
    draws: int = 2000,
    seed: int = 0,
    threads: int = 1,
    groups: ArrayLike | None = None,
    engine: EngineName = "auto",
) -> Floats:
    """Bootstrap draws of AUC(challenger) - AUC(champion), (draws,), exact for each resample.

    Shapes: y, champion, challenger, groups (n,). With `groups`, clusters are resampled (Field & Welsh 2007)
    instead of rows. `engine` is chosen by the amount of work; all give the same numbers. Raises ValueError as
    `paired_auc` does. Efron & Tibshirani 1993, chapter 8.
    """
    labels = binary_labels(y)
    old = floats(champion, "the champion's scores", length=len(labels))
    new = floats(challenger, "the challenger's scores", length=len(labels))
    _positive(draws, "draws")
    _positive(threads, "threads")
    codes = None if groups is None else group_codes(groups, len(labels))[0]
    run = _engine(engine, len(labels) * draws)
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        each = map if pool is None else pool.map
        task = prepare(labels, old, new, codes, each)
        memory: SimpleQueue[Counts] = SimpleQueue()
        for _ in range(threads):
            memory.put(working_memory(task.plan))
        blocks = range(-(-draws // task.plan.block))
        found = list(each(partial(_differences, run, task, seed, memory), blocks))
    return np.concatenate(found)[:draws]


def _differences(run: Engine, task: Task, seed: int, memory: SimpleQueue[Counts], block: int) -> Floats:
    counts = memory.get()
    counted = run(task, block_seeds(task.plan, seed, block), counts)
    memory.put(counts)
    u_old, u_new, n_pos, n_neg = counted.swapaxes(0, 1).reshape(4, -1)
    differences: Floats = (u_new - u_old) / (2 * n_pos * n_neg)
    return differences


def _engine(engine: EngineName, cells: int) -> Engine:
    """numpy for little work; numba, where installed, once it pays for its import and compilation."""
    if engine == "numpy" or (engine == "auto" and cells < NUMBA_PAYS):
        return replicate_block
    try:
        from pytest_mlgates.stats.compiled import replicate_block_compiled
    except ImportError:
        if engine == "numba":
            raise ValueError("numba is not installed; install it, or give engine='auto'") from None
        return replicate_block
    return replicate_block_compiled


def replicate_weights(
    y: ArrayLike,
    champion: ArrayLike,
    *,
    draws: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """How often each row counts in each draw of `paired_auc_bootstrap`, (draws, n).

    For checks against another implementation: `roc_auc_score(y, scores, sample_weight=weights[i])`. Which row
    gets which count follows the champion's order.
    """
    labels = binary_labels(y)
    scores = floats(champion, "the champion's scores", length=len(labels))
    codes = None if groups is None else group_codes(groups, len(labels))[0]
    plan = layout(labels, orders(labels, scores)[0], codes)
    found, counts = [], working_memory(plan)
    for block in range(-(-draws // plan.block)):
        seeds = block_seeds(plan, seed, block)
        for depth in range(plan.depth):
            found.append(draw_counts(plan, seeds, depth, counts).T[:, plan.unit_of_row])
    return np.concatenate(found)[:draws]


def paired_bootstrap(
    metric: MetricFunction,
    y: ArrayLike,
    champion: ArrayLike,
    challenger: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    draws: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Floats:
    """Bootstrap draws of metric(challenger) - metric(champion), (draws,), for any metric(y, pred, weight).

    Shapes: y (n,), champion and challenger (n,) or (n, classes), weight, groups and strata (n,). Rows (or
    whole clusters) are resampled within each stratum, both models on the same ones. Raises ValueError when
    the metric returns something that is not a finite number.
    """
    truth, old, new = np.asarray(y), np.asarray(champion), np.asarray(challenger)
    for name, pred in (("champion", old), ("challenger", new)):
        if len(pred) != len(truth):
            raise ValueError(f"the {name} has {len(pred)} rows, the labels {len(truth)}; give equal lengths")
    _positive(draws, "draws")
    w = weights(weight, len(truth))
    found = np.empty(draws)
    for i, rows in enumerate(_resamples(len(truth), draws, seed, groups, strata)):
        part = None if w is None else w[rows]
        found[i] = metric(truth[rows], new[rows], part) - metric(truth[rows], old[rows], part)
    if not np.isfinite(found).all():
        raise ValueError("the metric is not a finite number on some resamples; stratify by class or give more rows")
    return found


def _resamples(n: int, draws: int, seed: int, groups: ArrayLike | None, strata: ArrayLike | None) -> Iterator[Ints]:
    codes, units = (np.arange(n), n) if groups is None else group_codes(groups, n)
    kinds = np.zeros(units, dtype=np.int64)
    if strata is not None:
        kinds = cluster_strata(codes, units, np.unique(np.asarray(strata), return_inverse=True)[1])
    members = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=units)
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(draws):
        picked = np.concatenate([m[rng.integers(0, len(m), len(m))] for m in members])
        if groups is None:
            yield picked
            continue
        length = sizes[picked]
        offset = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        yield order[np.repeat(first[picked], length) + offset]


def percentile_interval(draws: ArrayLike, level: float) -> tuple[float, float]:
    """The middle `level` of the draws. Too narrow with few positives (error 10 to 12 % at a nominal 5 %)."""
    tail = (1 - interval_level(level)) / 2
    low, high = np.quantile(floats(draws, "the draws"), [tail, 1 - tail])
    return float(low), float(high)


def _positive(number: int, name: str) -> None:
    if number < 1:
        raise ValueError(f"{name} is {number}; give at least 1")

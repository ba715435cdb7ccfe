"""Bootstrap resamples as counts: how often each unit was drawn, 64 replicates side by side as bytes.

Counts of a resample of m units out of m are multinomial. Independent Poisson counts given their total T are
multinomial(T), and m - T further uniform picks make them multinomial(m), exactly. So nearly all of the work
is one 16-bit random number per unit and replicate; what 16 bits cannot express is corrected at the few
cells a Poisson process hits. A column whose total exceeds m starts again from zero.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Bools, Floats, Ints

LANES = 64  # bytes of a cache line: re-ordering units then moves whole lines
_MARGIN = 2.5  # standard deviations of the Poisson total kept free below m: 0.6 % of columns start again

Counts = NDArray[np.uint8]


class PoissonTable(NamedTuple):
    """16-bit thresholds of a Poisson law, and the mixture that makes up for their rounding."""

    thresholds: tuple[int, ...]  # a number u stands for the count of thresholds at or below it
    correction: float  # probability that a cell is drawn from `residual` instead
    residual: Floats  # cumulative probabilities of the correcting law


@functools.lru_cache(maxsize=8)
def poisson_table(mean: float) -> PoissonTable:
    """Poisson(mean) = (1 - correction) * (16-bit law) + correction * residual, exactly, for 0 <= mean < 1."""
    k = np.arange(40)
    law = np.exp(-mean) * np.cumprod(np.concatenate(([1.0], np.full(39, mean) / k[1:])))
    share = np.floor(law * 65536)
    share[0] += 65536 - share.sum()
    used = share > 0
    keep = float((law[used] * 65536 / share[used]).min())
    residual = np.cumsum(np.maximum(law - keep * share / 65536, 0.0))
    edges = np.cumsum(share[used])[:-1]
    total = residual[-1]
    return PoissonTable(tuple(int(e) for e in edges), max(0.0, 1 - keep), residual / total if total > 0 else residual)


class Layout(NamedTuple):
    """Units to resample: strata are consecutive runs of units, rows point at their unit."""

    sizes: tuple[int, ...]  # units per stratum, none empty
    unit_of_row: NDArray[np.int32]  # (n,)


def layout(labels: Bools, codes: Ints | None = None) -> Layout:
    """Strata of rows (positives, then negatives), or of clusters (all positive, all negative, mixed).

    Shapes: labels (n,) bool, codes (n,) in 0 .. clusters - 1 or None. Keeping the kinds of cluster apart
    keeps both classes present in every replicate, as resampling the classes apart does for rows.
    """
    if codes is None:
        return _runs(np.where(labels, 0, 1), np.arange(len(labels)))
    clusters = int(codes.max()) + 1
    positives = np.bincount(codes, weights=labels, minlength=clusters)
    kind = np.where(positives == 0, 1, np.where(positives == np.bincount(codes, minlength=clusters), 0, 2))
    return _runs(kind, codes)


def _runs(kind_of_unit: Ints, unit_of_row: Ints) -> Layout:
    order = np.argsort(kind_of_unit, kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    sizes = np.bincount(kind_of_unit)
    return Layout(tuple(int(s) for s in sizes if s), place[unit_of_row])


def generator(seed: int, block: int) -> np.random.Generator:
    """The random stream of one block of 64 replicates: the same whoever draws it, in whatever order."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, block])))


def draw_counts(plan: Layout, seed: int, block: int) -> Counts:
    """Counts of one block of replicates, (units, 64); each stratum's columns sum to its size."""
    rng = generator(seed, block)
    counts = np.empty((sum(plan.sizes), LANES), dtype=np.uint8)
    start = 0
    for size in plan.sizes:
        _fill(rng, counts[start : start + size])
        start += size
    return counts


def _fill(rng: np.random.Generator, counts: Counts) -> None:
    size = len(counts)
    mean = max(0.0, 1 - _MARGIN / math.sqrt(size))
    table = poisson_table(mean)
    raw = random_words(rng, counts.size)
    flat = counts.reshape(-1)
    np.copyto(flat, 0)
    for edge in table.thresholds:
        flat += raw >= edge
    flat_positions, values = corrections(rng, table, counts.size)
    flat[flat_positions] = values
    missing = size - counts.sum(axis=0, dtype=np.int64)
    if (again := missing < 0).any():
        counts[:, again] = 0
        missing[again] = size
    picks = rng.integers(0, size, int(missing.sum()), dtype=np.int32)
    columns = np.repeat(np.arange(LANES), missing)
    np.add.at(flat, picks.astype(np.int64) * LANES + columns, np.uint8(1))


def random_words(rng: np.random.Generator, number: int) -> NDArray[np.uint16]:
    """`number` independent 16-bit numbers."""
    words = rng.integers(0, 2**64 - 1, -(-number // 4), dtype=np.uint64, endpoint=True)
    return words.view(np.uint16)[:number]


def corrections(rng: np.random.Generator, table: PoissonTable, cells: int) -> tuple[NDArray[np.int64], Counts]:
    """Cells to overwrite, and their counts.

    The number of hits is Poisson and their places uniform, so every cell is hit independently with
    probability `table.correction`, without looking at each.
    """
    hits = int(rng.poisson(-math.log1p(-table.correction) * cells))
    positions = rng.integers(0, cells, hits)
    values = np.searchsorted(table.residual, rng.random(hits), side="right")
    return positions, values.astype(np.uint8)

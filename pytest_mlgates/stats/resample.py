"""Bootstrap resamples as counts: how often each unit was drawn, many replicates side by side as bytes.

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
from pytest_mlgates.stats.lanes import WORDS, Words, new_stream, refill

FAR_WIDTH = 32  # replicates side by side on sets of more units than this:
_NEAR_UNITS = 300_000
EDGES = 7  # a Poisson count of mean below 1 exceeds 7 less than once in 65,536
_MARGIN = 3.0  # standard deviations of the Poisson total kept free below m: 0.13 % of columns start again

Counts = NDArray[np.uint8]


class PoissonTable(NamedTuple):
    """16-bit thresholds of a Poisson law, and the mixture that makes up for their rounding."""

    edges: NDArray[np.uint16]  # (EDGES,): a number u stands for the count of edges below it
    correction: float  # probability that a cell is drawn from `residual` instead
    residual: Floats  # cumulative probabilities of the correcting law


@functools.lru_cache(maxsize=8)
def poisson_table(size: int) -> PoissonTable:
    """The law of one unit's count before the total of `size` units is topped up.

    Poisson = (1 - correction) * (16-bit law) + correction * residual, exactly.
    """
    mean = max(0.0, 1 - _MARGIN / math.sqrt(size))
    law = math.exp(-mean) * np.cumprod(np.concatenate(([1.0], mean / np.arange(1, 40))))
    share = np.floor(law * 65536)
    share[0] += 65536 - share.sum()
    used = share > 0
    keep = float((law[used] * 65536 / share[used]).min())
    residual = np.cumsum(np.maximum(law - keep * share / 65536, 0.0))
    edges = np.full(EDGES, 65535, dtype=np.uint16)
    inner = np.cumsum(share[used])[:-1] - 1
    edges[: len(inner)] = inner
    total = float(residual[-1])
    return PoissonTable(edges, max(0.0, 1 - keep), residual / total if total > 0 else residual)


class Layout(NamedTuple):
    """Units to resample, by strata of consecutive units; every row points at its unit."""

    sizes: Ints  # units per stratum, none empty
    unit_of_row: NDArray[np.int32]  # (n,)
    width: int  # replicates side by side
    depth: int  # such sets to one random stream

    @property
    def block(self) -> int:
        """Replicates made from one random stream."""
        return self.width * self.depth


def layout(labels: Bools, order: Ints, codes: Ints | None = None) -> Layout:
    """Strata of rows (positives, then negatives), or of clusters (all positive, all negative, mixed).

    Shapes: labels, order (n,), codes (n,) in 0 .. clusters - 1 or None. Within a stratum rows are laid out in
    `order`: a model ranked that way then reads memory from front to back. Keeping the kinds of cluster apart
    keeps both classes present in every replicate, as resampling the classes apart does for rows.
    """
    if codes is None:
        positive = labels[order]
        rank = np.where(positive, np.cumsum(positive), np.count_nonzero(labels) + np.cumsum(~positive)) - 1
        unit_of_row = np.empty(len(order), dtype=np.int32)
        unit_of_row[order] = rank
        return _sized(np.bincount(~labels), unit_of_row)
    clusters = int(codes.max()) + 1
    positives = np.bincount(codes, weights=labels, minlength=clusters)
    kind = np.where(positives == 0, 1, np.where(positives == np.bincount(codes, minlength=clusters), 0, 2))
    place = np.empty(clusters, dtype=np.int32)
    place[np.argsort(kind, kind="stable")] = np.arange(clusters, dtype=np.int32)
    return _sized(np.bincount(kind), place[codes])


def _sized(sizes: Ints, unit_of_row: NDArray[np.int32]) -> Layout:
    units = int(sizes.sum())
    # 64 bytes are what memory moves at a time; half of it on big sets halves the room that counts take.
    width = 64 if units <= _NEAR_UNITS else FAR_WIDTH
    depth = min(16, max(1, 40_000 // units))
    return Layout(sizes[sizes > 0], unit_of_row, width, depth)


class Seeds(NamedTuple):
    """All that is random in a block, but for the words its stream goes on to make."""

    stream: Words
    hit_ends: Ints  # (depth * strata,): where each fill's corrections end
    hit_cells: Ints  # cell of a stratum to overwrite
    hit_values: Counts


def block_seeds(plan: Layout, seed: int, block: int) -> Seeds:
    """The start of one block's random numbers: the same whoever draws it, in whatever order.

    The number of corrected cells is Poisson and their places uniform, so each cell is hit independently
    with its table's probability, without looking at each.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, block])))
    stream = new_stream(rng)
    tables = [poisson_table(int(size)) for size in plan.sizes]
    cells = plan.sizes * plan.width
    rates = [-math.log1p(-table.correction) * int(c) for table, c in zip(tables, cells, strict=True)]
    hits = rng.poisson(rates, (plan.depth, len(rates))).ravel()
    stratum = np.repeat(np.tile(np.arange(len(rates)), plan.depth), hits)
    places = rng.integers(0, cells[stratum]) if len(stratum) else np.empty(0, dtype=np.int64)
    chances = rng.random(len(stratum))
    values = np.zeros(len(stratum), dtype=np.uint8)
    for i, table in enumerate(tables):
        mine = stratum == i
        values[mine] = np.searchsorted(table.residual, chances[mine], side="right")
    return Seeds(stream, np.cumsum(hits), places, values)


def working_memory(plan: Layout) -> Counts:
    """Room for one set of counts. numpy asks for huge pages, without which random access would stall."""
    return np.empty((int(plan.sizes.sum()), plan.width), dtype=np.uint8)


def draw_counts(plan: Layout, seeds: Seeds, depth: int, counts: Counts) -> Counts:
    """Fill `counts` (units, width) with one set of replicates; each stratum's columns sum to its size.

    Sets must be drawn in order, since each goes on with the block's stream.
    """
    start = 0
    for i, size in enumerate(plan.sizes.tolist()):
        fill = depth * len(plan.sizes) + i
        hits = slice(seeds.hit_ends[fill - 1] if fill else 0, seeds.hit_ends[fill])
        part = counts[start : start + size]
        _poisson_counts(seeds.stream, poisson_table(size).edges, part.reshape(-1))
        part.reshape(-1)[seeds.hit_cells[hits]] = seeds.hit_values[hits]
        _top_up(seeds.stream, part)
        start += size
    return counts


def _poisson_counts(stream: Words, edges: NDArray[np.uint16], cells: Counts) -> None:
    for start in range(0, len(cells), 4 * WORDS):
        part = cells[start : start + 4 * WORDS]
        numbers = refill(stream).view(np.uint16)[: len(part)]
        np.greater(numbers, edges[0], out=part.view(np.bool_))
        for edge in edges[1:]:
            part += numbers > edge


def _top_up(stream: Words, counts: Counts) -> None:
    size, width = counts.shape
    missing = size - counts.sum(axis=0, dtype=np.int64)
    if (again := missing < 0).any():
        counts[:, again] = 0
        missing[again] = size
    rows = _uniform(stream, size, int(missing.sum()))
    columns = np.repeat(np.arange(width), missing)
    np.add.at(counts.reshape(-1), rows * width + columns, np.uint8(1))


def _uniform(stream: Words, size: int, number: int) -> Ints:
    """`number` uniform whole numbers below `size`, without bias (Lemire 2019: multiply, keep the high half)."""
    found: list[Ints] = []
    while number > 0:
        products = refill(stream).view(np.uint32).astype(np.uint64) * np.uint64(size)
        kept = products[(products & np.uint64(0xFFFFFFFF)) >= 2**32 % size] >> np.uint64(32)
        found.append(kept[:number].astype(np.int64))
        number -= len(found[-1])
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

"""The numba path of the bootstrap: the same numbers as `replicate_auc` and `resample`, many times faster.

Importing this module imports numba (about a second); its first call compiles (one or two more). Loops over
replicates run to a length known only at run time: loops of a fixed, short length would be unrolled, not vectorised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from pytest_mlgates.stats.checks import Ints
from pytest_mlgates.stats.lanes import LANES, ROUNDS, WORDS
from pytest_mlgates.stats.replicate_auc import Task
from pytest_mlgates.stats.resample import FAR_WIDTH, Counts, Seeds, poisson_table

Compiled = TypeVar("Compiled", bound=Callable[..., Any])
_11, _3, _24, _40 = (np.uint64(k) for k in (11, 3, 24, 40))


def replicate_block_compiled(task: Task, seeds: Seeds, counts: Counts) -> Ints:
    """As `replicate_auc.replicate_block`, to the last bit. Releases the GIL."""
    plan = task.plan
    out = np.zeros((plan.depth, 4, plan.width), dtype=np.int64)
    edges = np.stack([poisson_table(int(size)).edges for size in plan.sizes])
    words = seeds.stream[3 * LANES : -1]
    _replicate(
        seeds.stream, words.view(np.uint16), words.view(np.uint32), counts, counts.view(np.uint64), plan.sizes, edges,
        seeds.hit_ends, seeds.hit_cells, seeds.hit_values, task.champion.units, task.champion.positive,
        task.challenger.units, task.challenger.positive, task.positives, task.negatives, plan.width == FAR_WIDTH, out,
    )  # fmt: skip
    return out


def _jit(function: Compiled) -> Compiled:
    return cast(Compiled, numba.njit(nogil=True)(function))


@_jit
def refill(s: Any) -> None:
    """`lanes.refill`."""
    counter = s[len(s) - 1]
    for i in range(LANES):
        a, b, c = s[i], s[i + LANES], s[i + 2 * LANES]
        for k in range(ROUNDS):
            x = a + b + counter + np.uint64(k)
            a = b ^ (b >> _11)
            b = c + (c << _3)
            c = ((c << _24) | (c >> _40)) + x
            s[i + (3 + k) * LANES] = x
        s[i], s[i + LANES], s[i + 2 * LANES] = a, b, c
    s[len(s) - 1] = counter + np.uint64(ROUNDS)


@_jit
def _poisson_counts(stream: Any, numbers: Any, edges: Any, cells: Any) -> None:
    e0, e1, e2, e3, e4, e5, e6 = edges[0], edges[1], edges[2], edges[3], edges[4], edges[5], edges[6]
    for start in range(0, len(cells), 4 * WORDS):
        refill(stream)
        part = cells[start : start + 4 * WORDS]
        for j in range(len(part)):
            u = numbers[j]
            part[j] = (u > e0) + (u > e1) + (u > e2) + (u > e3) + (u > e4) + (u > e5) + (u > e6)


@_jit
def _take_totals(counts: Any, missing: Any) -> None:
    """Take each column's total off `missing`, by sums of 256 rows that fit 16 bits."""
    width = counts.shape[1]
    near = np.zeros(width, np.uint16)
    for start in range(0, len(counts), 256):
        for i in range(start, min(start + 256, len(counts))):
            line = counts[i]
            for r in range(width):
                near[r] += line[r]
        for r in range(width):
            missing[r] -= near[r]
            near[r] = 0


@_jit
def _top_up(stream: Any, words: Any, counts: Any, highest: int) -> int:
    """`resample._top_up`; returns the highest count seen."""
    size, width = counts.shape
    missing = np.full(width, size, np.int64)
    _take_totals(counts, missing)
    reject = np.uint64(2**32 % size)
    at = len(words)
    for r in range(width):
        if missing[r] < 0:
            counts[:, r] = 0
            missing[r] = size
    # All picks before all additions, so that the additions' waits for memory overlap.
    picks = np.empty(missing.sum(), np.int64)
    made = 0
    for r in range(width):
        for _ in range(missing[r]):
            while True:
                if at == len(words):
                    refill(stream)
                    at = 0
                product = np.uint64(words[at]) * np.uint64(size)
                at += 1
                if (product & np.uint64(0xFFFFFFFF)) >= reject:
                    break
            picks[made] = np.int64(product >> np.uint64(32)) * width + r
            made += 1
    cells = counts.reshape(-1)
    most = np.uint8(highest)
    for i in range(made):
        count = np.uint8(cells[picks[i]] + 1)
        cells[picks[i]] = count
        most = max(most, count)
    return int(most)


@_jit
def _gather(lines: Any, units: Any, near: Any) -> None:
    """Copy the counts of `units` together, 8 bytes at a time."""
    eights = near.shape[1]
    for i in range(len(units)):
        unit = units[i]
        for q in range(eights):
            near[i, q] = lines[unit, q]


@_jit
def _add_u(units: Any, positive: Any, counts: Any, lines: Any, far: bool, highest: int, total: Any) -> None:
    """Add one ranking's U to `total`, in 16 bits within chunks of rows, in 64 from one chunk to the next."""
    width = counts.shape[1]
    # rows^2 / 4 * highest^2 pairs at most, and rows * highest negatives below: both under 2^16.
    rows = 2 * (255 // highest)
    base = np.zeros(width, np.int64)
    below = np.zeros(width, np.uint16)
    seen = np.zeros(width, np.uint16)
    pairs = np.zeros(width, np.uint16)
    gathered = np.empty((rows, width // 8), np.uint64)
    near = gathered.view(np.uint8)
    for start in range(0, len(units), rows):
        stop = min(start + rows, len(units))
        if far:
            # Brought together before any is looked at, so that the waits for memory overlap.
            _gather(lines, units[start:stop], gathered)
        for i in range(start, stop):
            line = near[i - start] if far else counts[units[i]]
            if positive[i]:
                for r in range(width):
                    count = np.uint16(line[r])
                    seen[r] += count
                    pairs[r] += count * below[r]
            else:
                for r in range(width):
                    below[r] += line[r]
        for r in range(width):
            total[r] += base[r] * np.int64(seen[r]) + np.int64(pairs[r])
            base[r] += np.int64(below[r])
            below[r] = 0
            seen[r] = 0
            pairs[r] = 0


@_jit
def _replicate(
    stream: Any, numbers: Any, words: Any, counts: Any, lines: Any, sizes: Any, edges: Any,
    hit_ends: Any, hit_cells: Any, hit_values: Any, old_units: Any, old_positive: Any,
    new_units: Any, new_positive: Any, positives: Any, negatives: Any, far: bool, out: Any,
) -> None:  # fmt: skip
    fill = 0
    hit = 0
    for depth in range(len(out)):
        start = 0
        highest = 7
        for i in range(len(sizes)):
            part = counts[start : start + sizes[i]]
            start += sizes[i]
            cells = part.reshape(-1)
            _poisson_counts(stream, numbers, edges[i], cells)
            while hit < hit_ends[fill]:
                cells[hit_cells[hit]] = hit_values[hit]
                highest = max(highest, int(hit_values[hit]))
                hit += 1
            fill += 1
            highest = _top_up(stream, words, part, highest)
        for k in range(len(old_units)):
            _add_u(old_units[k], old_positive[k], counts, lines, far, highest, out[depth, 0])
        for k in range(len(new_units)):
            _add_u(new_units[k], new_positive[k], counts, lines, far, highest, out[depth, 1])
        out[depth, 0] *= 3 - len(old_units)  # one order counts twice, two orders once each
        out[depth, 1] *= 3 - len(new_units)
        if len(positives) == 0:
            out[depth, 2, :] = sizes[0]
            out[depth, 3, :] = sizes[1]
        for i in range(len(positives)):
            for r in range(counts.shape[1]):
                out[depth, 2, r] += positives[i] * counts[i, r]
                out[depth, 3, r] += negatives[i] * counts[i, r]

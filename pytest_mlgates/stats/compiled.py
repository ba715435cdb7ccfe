"""The numba path of the bootstrap: the same numbers as `replicate_auc` and `resample`, many times faster.

Importing this module imports numba (about a second); its first call compiles (about two more).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_mlgates.stats.checks import Ints
from pytest_mlgates.stats.compiled_lanes import jit, poisson_counts, refill
from pytest_mlgates.stats.lanes import LANES
from pytest_mlgates.stats.replicate_auc import Task
from pytest_mlgates.stats.resample import FAR_WIDTH, Counts, Seeds, poisson_table


def replicate_block_compiled(task: Task, seeds: Seeds, counts: Counts) -> Ints:
    """As `replicate_auc.replicate_block`, to the last bit. Releases the GIL."""
    plan = task.plan
    out = np.zeros((plan.depth, 4, plan.width), dtype=np.int64)
    edges = np.stack([poisson_table(int(size)).edges for size in plan.sizes])
    words = seeds.stream[3 * LANES : -1]
    _kernel(plan.width)(
        seeds.stream, words.view(np.uint16), words.view(np.uint32), counts, counts.view(np.uint64), plan.sizes, edges,
        seeds.hit_ends, seeds.hit_cells, seeds.hit_values, task.champion.units, task.champion.positive,
        task.challenger.units, task.challenger.positive, task.positives, task.negatives, out,
    )  # fmt: skip
    return out


@functools.lru_cache(maxsize=2)
def _kernel(fixed: int) -> Callable[..., None]:
    """Compile for one number of replicates side by side.

    A length of 64 is vectorised best when fixed in the code; a fixed length of 32 would be unrolled into
    single bytes, so there the loops learn their length at run time.
    """
    far = fixed == FAR_WIDTH  # and the counts are too many for the processor's cache

    @jit
    def take_totals(counts: Any, missing: Any) -> None:
        """Take each column's total off `missing`, by sums of 256 rows that fit 16 bits."""
        width = counts.shape[1] if far else fixed
        near = np.zeros(width, np.uint16)
        for start in range(0, len(counts), 256):
            for i in range(start, min(start + 256, len(counts))):
                line = counts[i]
                for r in range(width):
                    near[r] += line[r]
            for r in range(width):
                missing[r] -= near[r]
                near[r] = 0

    @jit
    def top_up(stream: Any, words: Any, counts: Any, highest: int) -> int:
        """`resample._top_up`; returns the highest count seen."""
        size = len(counts)
        width = counts.shape[1] if far else fixed
        missing = np.empty(width, np.int64)
        for r in range(width):
            missing[r] = size
        take_totals(counts, missing)
        reject = np.uint64(2**32 % size)
        at = len(words)
        picked = 0
        for r in range(width):
            if missing[r] < 0:
                for i in range(size):
                    counts[i, r] = 0
                missing[r] = size
            picked += missing[r]
        # Far from the cache all picks come before all additions, so that these wait for memory together.
        picks = np.empty(picked if far else 1, np.int64)
        cells = counts.reshape(-1)
        most = np.uint8(highest)
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
                cell = np.int64(product >> np.uint64(32)) * width + r
                if far:
                    picks[made] = cell
                    made += 1
                else:
                    count = np.uint8(cells[cell] + 1)
                    cells[cell] = count
                    most = max(most, count)
        for i in range(made):
            count = np.uint8(cells[picks[i]] + 1)
            cells[picks[i]] = count
            most = max(most, count)
        return int(most)

    @jit
    def gather(lines: Any, units: Any, near: Any) -> None:
        """Copy the counts of `units` together, 8 bytes at a time."""
        eights = near.shape[1]
        for i in range(len(units)):
            unit = units[i]
            for q in range(eights):
                near[i, q] = lines[unit, q]

    @jit
    def add_u(units: Any, positive: Any, counts: Any, lines: Any, highest: int, total: Any) -> None:
        """Add one ranking's U to `total`, in 16 bits within chunks of rows, in 64 from one chunk to the next."""
        width = counts.shape[1] if far else fixed
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
                gather(lines, units[start:stop], gathered)
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

    @jit
    def replicate(
        stream: Any, numbers: Any, words: Any, counts: Any, lines: Any, sizes: Any, edges: Any,
        hit_ends: Any, hit_cells: Any, hit_values: Any, old_units: Any, old_positive: Any,
        new_units: Any, new_positive: Any, positives: Any, negatives: Any, out: Any,
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
                poisson_counts(stream, numbers, edges[i], cells)
                while hit < hit_ends[fill]:
                    cells[hit_cells[hit]] = hit_values[hit]
                    highest = max(highest, int(hit_values[hit]))
                    hit += 1
                fill += 1
                highest = top_up(stream, words, part, highest)
            for k in range(len(old_units)):
                add_u(old_units[k], old_positive[k], counts, lines, highest, out[depth, 0])
            for k in range(len(new_units)):
                add_u(new_units[k], new_positive[k], counts, lines, highest, out[depth, 1])
            # In loops, as whole-array statements take numba seconds to compile.
            for r in range(counts.shape[1]):
                out[depth, 0, r] *= 3 - len(old_units)  # one order counts twice, two orders once each
                out[depth, 1, r] *= 3 - len(new_units)
                if len(positives) == 0:
                    out[depth, 2, r] = sizes[0]
                    out[depth, 3, r] = sizes[1]
            for i in range(len(positives)):
                for r in range(counts.shape[1]):
                    out[depth, 2, r] += positives[i] * counts[i, r]
                    out[depth, 3, r] += negatives[i] * counts[i, r]

    return replicate

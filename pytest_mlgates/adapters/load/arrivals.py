"""When requests are due, fixed by the plan alone: arrivals do not wait for answers."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator

from pytest_mlgates.ports.serving import LoadPlan


def arrivals(plan: LoadPlan, worker: int = 0, workers: int = 1) -> Iterator[tuple[float, int, int]]:
    """(seconds from the start, target, which of its calls), in order and without end: one worker's share of the plan.

    The shares of all workers together are the plan: independent Poisson streams add up to one, and constant ones
    interleave. So do the targets' streams: none follows another's steps.
    """
    shares = [
        zip(_due(plan, target, worker, workers), itertools.repeat(target), itertools.count(worker, workers))
        for target in range(len(plan.targets))
    ]
    for due, target, number in heapq.merge(*shares):
        yield due, target, number % len(plan.targets[target].calls)


def _due(plan: LoadPlan, target: int, worker: int, workers: int) -> Iterator[float]:
    if plan.arrivals == "constant":
        offset = target / len(plan.targets)
        for number in itertools.count(worker, workers):
            yield (number + offset) / plan.rate
    rng = random.Random(f"{plan.seed} {target} {worker}")
    due = 0.0
    while True:
        due += rng.expovariate(plan.rate / workers)
        yield due

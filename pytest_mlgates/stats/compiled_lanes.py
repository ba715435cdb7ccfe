"""The random numbers of the bootstrap by numba: the same words and counts as `lanes` and `resample` make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from pytest_mlgates.stats.lanes import LANES, ROUNDS, WORDS

Compiled = TypeVar("Compiled", bound=Callable[..., Any])
_11, _3, _24, _40 = (np.uint64(k) for k in (11, 3, 24, 40))


def jit(function: Compiled) -> Compiled:
    return cast(Compiled, numba.njit(nogil=True)(function))


@jit
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


@jit
def poisson_counts(stream: Any, numbers: Any, edges: Any, cells: Any) -> None:
    """`resample._poisson_counts`."""
    e0, e1, e2, e3, e4, e5, e6 = edges[0], edges[1], edges[2], edges[3], edges[4], edges[5], edges[6]
    for start in range(0, len(cells), 4 * WORDS):
        refill(stream)
        part = cells[start : start + 4 * WORDS]
        for j in range(len(part)):
            u = numbers[j]
            part[j] = (u > e0) + (u > e1) + (u > e2) + (u > e3) + (u > e4) + (u > e5) + (u > e6)

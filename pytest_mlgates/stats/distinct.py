"""How many different values a long column has, in bounded memory.

Adaptive sampling (Wegman; analysed by Flajolet 1990): of the hashes seen, those under a threshold are kept, and the
threshold is halved whenever they become too many. The error is about 1.2 / sqrt(kept): half a percent here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Floats

_KEPT = 65_536
Hashes = NDArray[np.uint64]


class Distinct:
    """Give it hashes; it says how many different ones there were, exactly while they are few."""

    def __init__(self) -> None:
        self._halvings = 0
        self._kept: Hashes = np.empty(0, dtype=np.uint64)

    def add(self, hashes: Hashes) -> None:
        """Hashes (n,) of 64 bits, each as likely as any other; repeats do not count."""
        self._kept = np.union1d(self._kept, self._under(hashes))
        while len(self._kept) > _KEPT:
            self._halvings += 1
            self._kept = self._under(self._kept)

    def estimate(self) -> int:
        return len(self._kept) << self._halvings

    def _under(self, hashes: Hashes) -> Hashes:
        return hashes[hashes < np.uint64(2 ** (64 - self._halvings) - 1)]


def hashed(values: Floats) -> Hashes:
    """Hashes of numbers (n,): SplitMix64 (Steele, Lea & Flood 2014) of their bits."""
    x: NDArray[Any] = (values + 0.0).view(np.uint64)
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Hashes = x ^ (x >> np.uint64(31))
    return mixed

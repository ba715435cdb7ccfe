"""Data whose truth is known exactly: binormal scores, shifted features, selection rates, latencies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NORMAL = NormalDist()

AUC = 0.80


def shift_of(auc: float) -> float:
    """How far apart the classes' scores lie, in their standard deviation, for this AUC."""
    return _NORMAL.inv_cdf(auc) * math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Noise:
    """Labels and both models' scores before the classes are moved apart; shapes (n,)."""

    y: NDArray[np.int8]
    champion: Floats
    challenger: Floats

    def scores(self, champion: float, challenger: float) -> tuple[Floats, Floats]:
        """Scores (n,) of two models with these AUCs."""
        return self.champion + shift_of(champion) * self.y, self.challenger + shift_of(challenger) * self.y


def noise(rng: np.random.Generator, n: int, balance: float, correlation: float) -> Noise:
    """Exactly the balance, in random order; unit normal scores that correlate within each class."""
    y = np.zeros(n, dtype=np.int8)
    y[: round(n * balance)] = 1
    first, other = rng.normal(size=(2, n))
    return Noise(rng.permutation(y), first, correlation * first + math.sqrt(1 - correlation**2) * other)


@lru_cache
def mean_shift(index: float, bins: int = 10) -> float:
    """How far a unit normal feature must move for this PSI over the reference's deciles."""
    edges = [_NORMAL.inv_cdf(i / bins) for i in range(1, bins)]

    def psi(shift: float) -> float:
        below = [0.0, *(_NORMAL.cdf(edge - shift) for edge in edges), 1.0]
        shares = [b - a for a, b in pairwise(below)]
        return sum((share - 1 / bins) * math.log(share * bins) for share in shares)

    low, high = 0.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if psi(middle) < index else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class Traffic:
    """Lognormal latencies; in a burst they are `slower` times as long.

    A share `burst_share` of the requests lies in bursts, whose lengths are geometric with this mean.
    """

    name: str
    burst_share: float = 0.0
    burst_length: float = 1.0
    slower: float = 1.0
    sigma: float = 0.4

    def latencies(self, rng: np.random.Generator, n: int, p99: float) -> Floats:
        """(n,) in order of sending, with exactly this 99th percentile."""
        values = np.exp(self.sigma * rng.normal(size=n))
        if self.burst_share:
            values *= np.where(self._in_burst(rng, n), self.slower, 1.0)
        return values * (p99 / _p99(self))

    def _in_burst(self, rng: np.random.Generator, n: int) -> NDArray[np.bool_]:
        calm = self.burst_length * (1 - self.burst_share) / self.burst_share
        stretches = int(3 * n / (calm + self.burst_length)) + 20
        lengths = np.empty(2 * stretches, dtype=np.int64)
        lengths[0::2] = rng.geometric(1 / calm, stretches)
        lengths[1::2] = rng.geometric(1 / self.burst_length, stretches)
        state = np.zeros(2 * stretches, dtype=bool)
        state[1::2] = True
        first = rng.random() < self.burst_share  # a geometric stretch has no memory, so this start is stationary
        made = np.repeat(~state if first else state, np.roll(lengths, -1) if first else lengths)
        while len(made) < n:
            made = np.concatenate((made, made))
        return made[:n]


@lru_cache
def _p99(traffic: Traffic) -> float:
    """The 99th percentile before scaling, of the exact mixture."""

    def above(value: float) -> float:
        calm = 1 - _NORMAL.cdf(math.log(value) / traffic.sigma)
        slow = 1 - _NORMAL.cdf(math.log(value / traffic.slower) / traffic.sigma)
        return (1 - traffic.burst_share) * calm + traffic.burst_share * slow

    low, high = 0.01, 1000.0
    for _ in range(80):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if above(middle) > 0.01 else (low, middle)
    return low

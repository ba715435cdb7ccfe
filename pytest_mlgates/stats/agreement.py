"""Do two rankings agree, and how sure is that: average overlap, and a bootstrap of mean importances over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.checks import Floats, Ints


def average_overlap(declared: Sequence[int], measured: Sequence[int]) -> float:
    """Agreement of two top lists in [0, 1], the first places counting most: the share of common members of the first d
    of each, averaged over d = 1 .. the length of `declared` (Fagin, Kumar & Sivakumar 2003).

    Raises ValueError when `declared` is empty.
    """
    if not declared:
        raise ValueError("nothing is declared, so nothing can agree")
    shares = []
    for depth in range(1, len(declared) + 1):
        shares.append(len(set(declared[:depth]) & set(measured[:depth])) / depth)
    return float(np.mean(shares))


def bootstrap_means(weights: Floats, groups: NDArray[np.generic] | None, *, draws: int, seed: int) -> Floats:
    """Means of `weights` (n, k) over rows drawn with replacement, whole `groups` (n,) where given: (draws, k)."""
    rng = np.random.default_rng(seed)
    units = np.arange(len(weights)) if groups is None else np.unique(groups, return_inverse=True)[1]
    size = int(units.max()) + 1
    sums = np.zeros((size, weights.shape[1]))
    np.add.at(sums, units, weights)
    rows: Ints = np.bincount(units, minlength=size)
    times = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    return np.asarray((times @ sums) / (times @ rows)[:, None])


def percentiles(values: Floats, alpha: float) -> tuple[float, float]:
    """The percentile interval of bootstrap draws, each end at `alpha`."""
    low, high = np.quantile(values, [alpha, 1 - alpha])
    return float(low), float(high)

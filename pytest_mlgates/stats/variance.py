"""From each row's share in a statistic to its standard error and degrees of freedom.

The shares e_i (influence values divided by the number of rows, so that the statistic's error is about their
sum) are split by class: each class's part of the variance carries its own n/(n - 1) and its own degrees of
freedom, joined by Welch and Satterthwaite. For an AUC this is exactly DeLong's variance; clusters make it
Obuchowski's (1997) estimator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_mlgates.stats.checks import Floats, Ints


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard error and the degrees of freedom of its t quantile."""

    se: float
    df: float


def squares(values: Floats) -> float:
    """Sum of squares. Not `np.dot`: BLAS wakes its threads for it, and its last digits change with their number."""
    return float(np.square(values).sum())


def spread(parts: list[tuple[float, int]]) -> Spread:
    """Join variance parts (sum of squares, number of independent units) by Welch-Satterthwaite.

    Each part becomes squares * units / (units - 1); a part of one unit counts twice, with one degree of
    freedom, for want of anything to compare it with.
    """
    total = bottom = 0.0
    for total_squares, units in parts:
        if total_squares == 0:
            continue
        df = max(units - 1, 1)
        part = total_squares * max(units, 2) / df
        total += part
        bottom += part * part / df
    if total == 0:
        return Spread(0.0, float(max(1, sum(units for _, units in parts) - len(parts))))
    return Spread(float(np.sqrt(total)), total * total / bottom)


def row_spread(shares: Floats, strata: Ints | None = None, *, even: bool = True) -> Spread:
    """Spread of sum(shares) for independent rows. Shapes: shares (n,), strata (n,) codes from 0.

    Where a few rows may carry most of the error (`even` False), the degrees of freedom are at most the
    effective number of rows, (sum e^2)^2 / sum e^4, less one. Without it the Brier score of 20 positives in
    1,000 rows errs 12 % of the time at a nominal 5 %, with it 7 %.
    """
    if strata is None:
        found = spread([(squares(shares), len(shares))])
    else:
        by_stratum = np.bincount(strata, weights=shares * shares)
        found = spread(list(zip(by_stratum.tolist(), np.bincount(strata).tolist(), strict=True)))
    if even or found.se == 0:
        return found
    relative = (shares / np.abs(shares).max()) ** 2
    effective = float(relative.sum() ** 2 / squares(relative))
    return Spread(found.se, max(1.0, min(found.df, effective - 1)))


def cluster_spread(
    shares: Floats, codes: Ints, clusters: int, strata: Ints | None = None, *, even: bool = True
) -> Spread:
    """Spread of sum(shares) when rows of one cluster move together.

    Shapes: shares (n,), codes (n,) in 0 .. clusters - 1, strata (n,) codes from 0. Clusters whose rows are of
    one stratum form that stratum's part; mixed clusters form a part of their own, so that with one row a
    cluster the result is `row_spread`'s.
    """
    sums: Floats = np.bincount(codes, weights=shares, minlength=clusters).astype(np.float64)
    if strata is None:
        return row_spread(sums, even=even)
    return row_spread(sums, cluster_strata(codes, clusters, strata), even=even)


def cluster_strata(codes: Ints, clusters: int, strata: Ints) -> Ints:
    """Stratum of each cluster, (clusters,): its rows' own when they agree, else one past the highest."""
    low = np.full(clusters, np.iinfo(np.int64).max)
    high = np.full(clusters, -1)
    np.minimum.at(low, codes, strata)
    np.maximum.at(high, codes, strata)
    return np.where(low == high, low, int(strata.max()) + 1)

"""How far two samples of one feature lie apart: effect sizes with their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import Floats, floats
from pytest_mlgates.stats.special import chi2_sf, normal_quantile


@dataclass(frozen=True, slots=True)
class Psi:
    """Population stability index: `raw` as usually computed, `value` less its bias, and its error."""

    raw: float
    bias: float
    value: float
    se: float

    def lower(self, level: float = 0.95) -> float:
        """One-sided lower bound of the index."""
        return self.value - normal_quantile(level) * self.se


def psi(ref_counts: ArrayLike, counts: ArrayLike) -> Psi:
    """Bias-corrected PSI between two histograms over the same B bins, shapes (B,).

    Two samples of one distribution score (B - 1)(1/n + 1/m) on average, which is taken off (Yurdakul &
    Naranjo 2020). The error adds the delta method's variance to the chi-square one that remains without any
    shift. Half a row is added to every bin, so that an empty one counts as rare, not as infinitely far.
    """
    p_rows, q_rows = _histograms(ref_counts, counts)
    n, m, bins = p_rows.sum(), q_rows.sum(), len(p_rows)
    p = (p_rows + 0.5) / (n + 0.5 * bins)
    q = (q_rows + 0.5) / (m + 0.5 * bins)
    log_ratio = np.log(p / q)
    raw = float(np.dot(p - q, log_ratio))
    scale = float(1 / n + 1 / m)
    bias = (bins - 1) * scale
    slope_p, slope_q = log_ratio + 1 - q / p, -log_ratio + 1 - p / q
    shifted = _variance(p, slope_p) / n + _variance(q, slope_q) / m
    # Noise alone makes the delta method see a shift of size `bias`; that share of its variance goes.
    variance = shifted * max(0.0, 1 - bias / raw if raw > 0 else 0.0) + 2 * (bins - 1) * scale**2
    return Psi(raw, bias, raw - bias, math.sqrt(variance))


def _variance(p: Floats, slope: Floats) -> float:
    return float(np.dot(p, slope**2) - np.dot(p, slope) ** 2)


def ks_distance(reference: ArrayLike, sample: ArrayLike) -> float:
    """Largest gap between two empirical distribution functions, 0 to 1; shapes (n,) and (m,)."""
    a, b = np.sort(floats(reference, "the reference")), np.sort(floats(sample, "the sample"))
    points = np.concatenate((a, b))
    below_a = np.searchsorted(a, points, side="right") / len(a)
    below_b = np.searchsorted(b, points, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Test that two histograms share one distribution, and Cramer's V as its effect size."""

    statistic: float
    df: int
    p_value: float
    cramers_v: float


def chi_square(ref_counts: ArrayLike, counts: ArrayLike) -> ChiSquare:
    """Pearson's chi-square over the bins that hold any rows; shapes (B,)."""
    table = np.stack(_histograms(ref_counts, counts))
    table = table[:, table.sum(axis=0) > 0]
    total = float(table.sum())
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    statistic = float(((table - expected) ** 2 / expected).sum())
    df = table.shape[1] - 1
    p_value = chi2_sf(statistic, df) if df > 0 else 1.0
    return ChiSquare(statistic, df, p_value, math.sqrt(statistic / total))


def jensen_shannon(ref_counts: ArrayLike, counts: ArrayLike) -> float:
    """Jensen-Shannon divergence in bits, 0 (equal) to 1 (no common bin); Lin 1991. Shapes (B,)."""
    p_rows, q_rows = _histograms(ref_counts, counts)
    p, q = p_rows / p_rows.sum(), q_rows / q_rows.sum()
    middle = (p + q) / 2
    halves = (float(np.sum(x[x > 0] * np.log2(x[x > 0] / middle[x > 0]))) for x in (p, q))
    return max(0.0, sum(halves) / 2)


def _histograms(ref_counts: ArrayLike, counts: ArrayLike) -> tuple[Floats, Floats]:
    reference = floats(ref_counts, "the reference counts")
    now = floats(counts, "the counts")
    if len(reference) != len(now):
        raise ValueError(f"the counts have {len(now)} bins, the reference {len(reference)}; give equal bins")
    for name, rows in (("reference counts", reference), ("counts", now)):
        if rows.min() < 0 or not rows.any():
            raise ValueError(f"the {name} are negative or all zero; give rows per bin, with at least one row")
    return reference, now

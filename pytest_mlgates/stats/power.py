"""What a golden set can resolve, and how many rows a margin needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_mlgates.stats.special import normal_quantile

_FEW = 100  # rows of the rarer class below which a standard error is itself uncertain


def effect_in_errors(power: float = 0.80, alpha: float = 0.05) -> float:
    """Standard errors between the truth and the bound for one-sided `alpha` and `power`: 2.49 by default."""
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value:g}; give one between 0 and 1")
    return normal_quantile(1 - alpha) + normal_quantile(power)


RESOLVABLE = effect_in_errors()


def minimum_resolvable_margin(se: float, *, power: float = 0.80, alpha: float = 0.05) -> float:
    """Smallest margin at which an equal challenger passes with `power`, in the unit of `se`."""
    if not se >= 0:
        raise ValueError(f"the standard error is {se:g}; give 0 or more")
    return effect_in_errors(power, alpha) * se


@dataclass(frozen=True, slots=True)
class RowsNeeded:
    """Rows to two significant figures; `low` and `high` differ when the estimate itself is uncertain."""

    rows: int
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.rows:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


def rows_needed(
    se: float, n: int, margin: float, *, rarer: int | None = None, power: float = 0.80, alpha: float = 0.05
) -> RowsNeeded:
    """Rows of the same mix that prove an equal challenger within `margin`, from the error `se` on `n` rows.

    With under 100 rows in the rarer class (`rarer`), a range: the variance's 80 % chi-square interval, which
    is about 1 +- 1.28 * sqrt(2 / rarer).
    """
    if margin <= 0 or n < 1:
        raise ValueError(f"the margin is {margin:g} on {n} rows; give a margin above 0 and at least one row")
    exact = n * (minimum_resolvable_margin(se, power=power, alpha=alpha) / margin) ** 2
    if rarer is None or rarer >= _FEW:
        rows = two_figures(exact)
        return RowsNeeded(rows, rows, rows)
    df = max(rarer - 1, 1)
    low, high = (df / _chi2_quantile(p, df) for p in (0.90, 0.10))
    return RowsNeeded(two_figures(exact), two_figures(exact * low), two_figures(exact * high))


def _chi2_quantile(p: float, df: float) -> float:
    """Wilson-Hilferty 1931: good to a percent, and this only draws a range of two figures."""
    spread = 2 / (9 * df)
    return df * float(max(1 - spread + normal_quantile(p) * math.sqrt(spread), 0.05)) ** 3


def two_figures(rows: float) -> int:
    """Rows rounded up to two significant figures: 10,943 becomes 11,000."""
    if rows <= 1:
        return 1
    unit = 10 ** max(math.floor(math.log10(rows)) - 1, 0)
    return int(math.ceil(rows / unit - 1e-9) * unit)


def auc_rows_needed(
    margin: float,
    auc: float,
    correlation: float,
    prevalence: float,
    *,
    power: float = 0.80,
    alpha: float = 0.05,
) -> float:
    """Rows, not rounded, that prove an equal challenger within `margin` AUC.

    Two models of equal `auc` whose scores correlate by `correlation` in each class, binormal with equal
    variances, a share `prevalence` of positives.
    """
    if not (0.5 < auc < 1 and 0 <= correlation < 1 and 0 < prevalence < 1 and margin > 0):
        raise ValueError(
            f"margin {margin:g}, AUC {auc:g}, correlation {correlation:g}, prevalence {prevalence:g}; give a "
            "margin above 0, an AUC in (0.5, 1), a correlation in [0, 1) and a prevalence in (0, 1)"
        )
    own = placement_covariance(auc, 1.0)
    shared = placement_covariance(auc, correlation)
    one_row = 2 * (own - shared) * (1 / prevalence + 1 / (1 - prevalence))
    return one_row * (effect_in_errors(power, alpha) / margin) ** 2


def placement_covariance(auc: float, correlation: float) -> float:
    """Covariance of one row's placements under two binormal models with correlated scores.

    P(X1 > Y1, X2 > Y2) for two comparisons that share one row: a bivariate normal probability at
    correlation/2, less auc^2.
    """
    threshold = normal_quantile(auc)
    return both_below(threshold, correlation / 2) - auc * auc


def both_below(x: float, correlation: float) -> float:
    """P(A < x, B < x) for correlated standard normals (Plackett's integral by Simpson's rule)."""
    steps = 200
    width = correlation / steps
    total = 0.0
    for i in range(steps + 1):
        r = i * width
        factor = 1 if i in (0, steps) else 4 if i % 2 else 2
        total += factor * math.exp(-x * x / (1 + r)) / (2 * math.pi * math.sqrt(1 - r * r))
    below = 0.5 * math.erfc(-x / math.sqrt(2))
    return below * below + total * width / 3

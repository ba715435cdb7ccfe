"""The area under the ROC curve of one model, or of two on the same rows, with its uncertainty.

Paired DeLong (DeLong, DeLong & Clarke-Pearson 1988) with a Student t quantile whose degrees of freedom join
the two variance parts, positives and negatives, by Welch and Satterthwaite: with few positives the plain
normal quantile errs about twice as often as it says. Clusters: Obuchowski 1997.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import Bools, Floats, binary_labels, floats, group_codes, interval_level
from pytest_mlgates.stats.ranks import need_two_rows, placements
from pytest_mlgates.stats.special import t_quantile
from pytest_mlgates.stats.variance import Spread, cluster_spread, spread


@dataclass(frozen=True, slots=True)
class PairedAuc:
    """Two models' AUC on the same rows; `difference` is challenger - champion."""

    champion: float
    challenger: float
    difference: float
    se: float
    df: float
    n_pos: int
    n_neg: int
    correlation: float

    @property
    def identical(self) -> bool:
        """Both models order the rows alike, as far as any class comparison can tell."""
        return self.se == 0 and self.difference == 0

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided t interval of the difference, e.g. level=0.90 for two one-sided tests at 5 %."""
        half = t_quantile((1 + interval_level(level)) / 2, self.df) * self.se
        return self.difference - half, self.difference + half


@dataclass(frozen=True, slots=True)
class SingleAuc:
    """One model's AUC."""

    auc: float
    se: float
    df: float
    n_pos: int
    n_neg: int

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided t interval on the logit scale, which stays inside (0, 1) and covers better near 1.

        With both classes perfectly split the standard error is 0; the far end is then the exact bound of
        "all of m successes" with m the rarer class's rows.
        """
        tail = (1 - interval_level(level)) / 2
        if self.auc in (0.0, 1.0):
            far = tail ** (1 / min(self.n_pos, self.n_neg))
            return (far, 1.0) if self.auc == 1 else (0.0, 1 - far)
        centre = math.log(self.auc / (1 - self.auc))
        half = t_quantile(1 - tail, self.df) * self.se / (self.auc * (1 - self.auc))
        return _inverse_logit(centre - half), _inverse_logit(centre + half)


def _inverse_logit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def single_auc(y: ArrayLike, scores: ArrayLike, *, groups: ArrayLike | None = None) -> SingleAuc:
    """AUC of `scores` (n,) for 0/1 labels `y` (n,); `groups` (n,) makes the variance cluster-robust.

    Raises ValueError for one class only, non-finite scores, unequal lengths.
    """
    labels = binary_labels(y)
    need_two_rows(labels)
    auc, place = placements(labels, floats(scores, "the scores", length=len(labels)))
    n_pos, n_neg = _class_sizes(labels)
    shares = (place - auc) * np.where(labels, 1 / n_pos, 1 / n_neg)
    found = _spread(shares, labels, groups)
    return SingleAuc(auc, found.se, found.df, n_pos, n_neg)


def paired_auc(
    y: ArrayLike, champion: ArrayLike, challenger: ArrayLike, *, groups: ArrayLike | None = None
) -> PairedAuc:
    """Compare two models' scores (n,) on the same rows with 0/1 labels `y` (n,); high means positive.

    Ties count half, exactly. Constant scores are legal (AUC 0.5). `groups` (n,), any hashable codes, makes
    the variance cluster-robust. Raises ValueError for one class only, non-finite scores, unequal lengths.
    """
    labels = binary_labels(y)
    need_two_rows(labels)
    n_pos, n_neg = _class_sizes(labels)
    old, old_place = placements(labels, floats(champion, "the champion's scores", length=len(labels)))
    new, new_place = placements(labels, floats(challenger, "the challenger's scores", length=len(labels)))
    if groups is None:
        return _independent(labels, n_pos, n_neg, (old, old_place), (new, new_place))
    scale = np.where(labels, 1 / n_pos, 1 / n_neg)
    old_share, new_share = (old_place - old) * scale, (new_place - new) * scale
    both = _spread(new_share - old_share, labels, groups)
    one, other = _spread(old_share, labels, groups).se, _spread(new_share, labels, groups).se
    correlation = _correlation(one**2, other**2, both.se**2)
    return PairedAuc(old, new, new - old, both.se, both.df, n_pos, n_neg, correlation)


def _independent(
    labels: Bools, n_pos: int, n_neg: int, old: tuple[float, Floats], new: tuple[float, Floats]
) -> PairedAuc:
    parts: list[tuple[float, int]] = []
    variances = [0.0, 0.0]
    for rows, size in ((labels, n_pos), (~labels, n_neg)):
        a, b = old[1][rows] - old[0], new[1][rows] - new[0]
        b_minus_a = b - a
        parts.append((float(np.dot(b_minus_a, b_minus_a)) / size**2, size))
        for i, e in enumerate((a, b)):
            variances[i] += float(np.dot(e, e)) / (size * max(size - 1, 1))
    found = spread(parts)
    correlation = _correlation(variances[0], variances[1], found.se**2)
    return PairedAuc(old[0], new[0], new[0] - old[0], found.se, found.df, n_pos, n_neg, correlation)


def _correlation(one: float, other: float, difference: float) -> float:
    """Correlation of the two AUC estimates, from the variances of each and of their difference."""
    if one <= 0 or other <= 0:
        return 1.0 if one == other and difference == 0 else 0.0
    return float(np.clip((one + other - difference) / (2 * math.sqrt(one * other)), -1.0, 1.0))


def _class_sizes(labels: Bools) -> tuple[int, int]:
    n_pos = int(np.count_nonzero(labels))
    return n_pos, len(labels) - n_pos


def _spread(shares: Floats, labels: Bools, groups: ArrayLike | None) -> Spread:
    if groups is None:
        return spread([(float(np.dot(e, e)), len(e)) for e in (shares[labels], shares[~labels])])
    codes, clusters = group_codes(groups, len(labels))
    return cluster_spread(shares, codes, clusters, labels.astype(np.int64))

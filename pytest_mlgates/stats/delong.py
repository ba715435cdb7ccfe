"""The area under the ROC curve of one model, or of two on the same rows, with its uncertainty.

Paired DeLong (DeLong, DeLong & Clarke-Pearson 1988) with a Student t quantile whose degrees of freedom join
the two variance parts, positives and negatives, by Welch and Satterthwaite: with few positives the plain
normal quantile errs about twice as often as it says. Clusters: Obuchowski 1997.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import Bools, Floats, binary_labels, floats, group_codes, interval_level
from pytest_mlgates.stats.ranks import Whole, placements, twice_placements
from pytest_mlgates.stats.special import t_quantile
from pytest_mlgates.stats.variance import Spread, cluster_spread, spread, squares


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
    n_pos, n_neg = _class_sizes(labels)
    auc, place = placements(labels, floats(scores, "the scores", length=len(labels)))
    find = _independent if groups is None else partial(_clustered, labels, groups)
    found = find(place[labels] - auc, place[~labels] - auc)
    return SingleAuc(auc, found.se, found.df, n_pos, n_neg)


def paired_auc(
    y: ArrayLike, champion: ArrayLike, challenger: ArrayLike, *, groups: ArrayLike | None = None
) -> PairedAuc:
    """Compare two models' scores (n,) on the same rows with 0/1 labels `y` (n,); high means positive.

    Ties count half, exactly. Constant scores are legal (AUC 0.5). `groups` (n,), any hashable codes, makes
    the variance cluster-robust. Raises ValueError for one class only, non-finite scores, unequal lengths.
    """
    labels = binary_labels(y)
    n_pos, n_neg = _class_sizes(labels)
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(~labels)
    pair = [
        twice_placements(labels, floats(scores, f"the {name}'s scores", length=len(labels)))
        for name, scores in (("champion", champion), ("challenger", challenger))
    ]
    aucs = [int(twice.take(positives).sum(dtype=np.int64)) / (2 * n_pos * n_neg) for twice in pair]
    # Row numbers, not masks: picking by a random mask takes ten times as long.
    old, new = (
        (_centred(twice.take(positives), n_neg, auc), _centred(twice.take(negatives), n_pos, auc))
        for twice, auc in zip(pair, aucs, strict=True)
    )
    find = _independent if groups is None else partial(_clustered, labels, groups)
    both, one, other = find(new[0] - old[0], new[1] - old[1]), find(*old), find(*new)
    correlation = _correlation(one.se**2, other.se**2, both.se**2)
    return PairedAuc(aucs[0], aucs[1], aucs[1] - aucs[0], both.se, both.df, n_pos, n_neg, correlation)


def _centred(twice: Whole, others: int, auc: float) -> Floats:
    place: Floats = np.multiply(twice, 0.5 / others, dtype=np.float64)
    place -= auc
    return place


def _independent(positives: Floats, negatives: Floats) -> Spread:
    """Spread of mean(positives) + mean(negatives), each centred on 0, for independent rows."""
    return spread([(squares(e) / len(e) ** 2, len(e)) for e in (positives, negatives)])


def _clustered(labels: Bools, groups: ArrayLike, positives: Floats, negatives: Floats) -> Spread:
    codes, clusters = group_codes(groups, len(labels))
    shares = np.empty(len(labels))
    shares[labels], shares[~labels] = positives / len(positives), negatives / len(negatives)
    return cluster_spread(shares, codes, clusters, labels.astype(np.int64))


def _correlation(one: float, other: float, difference: float) -> float:
    """Correlation of the two AUC estimates, from the variances of each and of their difference."""
    if one <= 0 or other <= 0:
        return 1.0 if one == other and difference == 0 else 0.0
    return float(np.clip((one + other - difference) / (2 * math.sqrt(one * other)), -1.0, 1.0))


def _class_sizes(labels: Bools) -> tuple[int, int]:
    n_pos = int(np.count_nonzero(labels))
    if min(n_pos, len(labels) - n_pos) < 2:
        alone = int(n_pos == 1)
        raise ValueError(f"class {alone} has a single row; give at least two rows of each class")
    return n_pos, len(labels) - n_pos

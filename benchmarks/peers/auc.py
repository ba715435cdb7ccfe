"""Paired AUC bootstrap and DeLong by the usual packages. Those not installed return None."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score


def scipy_bootstrap(y, champion, challenger, draws, batch, seed=0):
    """`scipy.stats.bootstrap`, vectorised: positives and negatives resampled apart, paired by row number."""

    def auc(positives, negatives):
        ranks = stats.rankdata(np.concatenate([positives, negatives], axis=-1), axis=-1)
        k = positives.shape[-1]
        return (ranks[..., :k].sum(axis=-1) - k * (k + 1) / 2) / (k * negatives.shape[-1])

    def difference(positive, negative, axis=-1):
        old = auc(champion[positive], champion[negative])
        return auc(challenger[positive], challenger[negative]) - old

    return stats.bootstrap(
        (np.flatnonzero(y), np.flatnonzero(~y)), difference, vectorized=True, n_resamples=draws, batch=batch,
        method="percentile", rng=np.random.default_rng(seed),
    ).bootstrap_distribution  # fmt: skip


def scikit_learn_loop(y, champion, challenger, draws, seed=0):
    """Two `roc_auc_score` calls a draw on rows picked with replacement."""
    rng = np.random.default_rng(seed)
    positive, negative = np.flatnonzero(y), np.flatnonzero(~y)
    found = []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(part, len(part)) for part in (positive, negative)])
        found.append(roc_auc_score(y[rows], challenger[rows]) - roc_auc_score(y[rows], champion[rows]))
    return np.array(found)


def scikit_learn_on(y, champion, challenger, counts):
    """The differences on given resample weights (draws, n)."""
    return np.array([
        roc_auc_score(y, challenger, sample_weight=w) - roc_auc_score(y, champion, sample_weight=w) for w in counts
    ])  # fmt: skip


def two_roc_auc_scores(y, champion, challenger):
    return roc_auc_score(y, champion), roc_auc_score(y, challenger)


def confidence_interval(y, champion, challenger):
    """`confidenceinterval` knows one model at a time: two calls, no covariance."""
    from confidenceinterval import roc_auc_score as with_interval

    return with_interval(y, champion, method="delong"), with_interval(y, challenger, method="delong")


def mlstatkit(y, champion, challenger):
    from MLstatkit import Delong_test

    return Delong_test(y, champion, challenger)


def works(peer: Callable[..., object]) -> bool:
    y = np.arange(40) % 2 == 0
    scores = np.sin(np.arange(40.0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer(y, scores, np.cos(scores))
    except ImportError:
        return False
    return True

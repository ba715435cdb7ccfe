"""The bootstrap distribution of the AUC difference, kept for the picture."""

from __future__ import annotations

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import FEWEST
from pytest_mlgates.model import Model
from pytest_mlgates.policy import BootstrapAuc

_PICTURE_BINS = 40


def auc_gain(golden: GoldenSet, champion: Model, challenger: Model, policy: BootstrapAuc) -> Evidence:
    """The paired AUC gain. The interval decides and is DeLong's with a t quantile, because with few positives a
    percentile interval is too short; the bootstrap (stratified, paired) gives the picture in the details.
    """
    import numpy as np

    from pytest_mlgates.measure.pictures import curves, spread
    from pytest_mlgates.stats.bootstrap import paired_auc_bootstrap
    from pytest_mlgates.stats.delong import paired_auc

    title, n = "roc_auc gain", len(golden)
    positives = int(golden.y.sum())
    rarest = min(positives, n - positives)
    if rarest < FEWEST:
        why = f"{rarest} rows in the rarer class; at least {FEWEST} are needed, and 100 or more are advised"
        return Evidence(title, None, n, cannot_say=why)
    first, second = champion.scores(golden.X), challenger.scores(golden.X)
    pair = paired_auc(golden.y, first, second, groups=golden.group)
    draws = paired_auc_bootstrap(golden.y, first, second, draws=policy.draws, seed=policy.seed, groups=golden.group)
    level = 1 - 2 * policy.alpha
    low, high = pair.interval(level)
    counts, edges = np.histogram(draws, bins=_PICTURE_BINS)
    details = {
        "champion": pair.champion,
        "challenger": pair.challenger,
        "correlation": pair.correlation,
        "bootstrap": {
            "draws": policy.draws,
            "seed": policy.seed,
            "interval": np.quantile(draws, [policy.alpha, 1 - policy.alpha]),
            "counts": counts,
            "edges": edges,
        },
        "roc": curves(golden.y, (both := {"champion": first, "challenger": second})),
        "scores": spread(golden.y, both),
    }
    return Evidence(title, pair.difference, n, Interval(low, high, level, "paired DeLong, t"), details=details)

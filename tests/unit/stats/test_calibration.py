"""What the intervals promise they keep: share of samples whose interval misses the truth on one side."""

from statistics import NormalDist

import numpy as np
import pytest

from pytest_mlgates.stats.delong import paired_auc
from pytest_mlgates.stats.metrics import METRICS
from pytest_mlgates.stats.paired import paired_difference

REPEATS = 1500


def misses(binormal, half_width, n, prevalence, correlation):
    """Error of the one-sided claim at the true difference, both sides pooled."""
    missed = 0
    for seed in range(REPEATS):
        found = paired_auc(*binormal(n, prevalence, challenger_auc=0.79, correlation=correlation, seed=seed))
        missed += abs(found.difference + 0.01) > half_width(found)
    return missed / (2 * REPEATS)


def t_half(found):
    low, high = found.interval(0.90)
    return (high - low) / 2


def z_half(found):
    return NormalDist().inv_cdf(0.95) * found.se


def test_with_few_positives_t_keeps_the_level_better_than_z(binormal) -> None:
    t, z = (misses(binormal, half, 200, 0.05, 0.7) for half in (t_half, z_half))
    assert t < z - 0.005
    assert t < 0.075


def test_with_many_rows_both_keep_it(binormal) -> None:
    assert misses(binormal, t_half, 1000, 0.3, 0.9) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("name", ["log_loss", "brier", "average_precision", "f1"])
def test_other_metrics_do_not_miss_much_more_than_they_say(binormal, name) -> None:
    """An exactly equal challenger (exchangeable, so the truth is 0), 40 positives of 400."""
    metric, low = METRICS[name], 0
    for seed in range(400):
        y, a, b = binormal(400, 0.1, correlation=0.9, seed=seed)
        p, q = (1 / (1 + np.exp(2.9 - 1.19 * s)) for s in (a, b))
        low += paired_difference(metric, y, p, q, threshold_champion=0.15, threshold_challenger=0.15).low > 0
    assert low / 400 < 0.08

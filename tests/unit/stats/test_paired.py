"""One difference for every metric: signs, intervals, weights, clusters, and what counts as identical."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss

from pytest_mlgates.stats.bootstrap import paired_bootstrap
from pytest_mlgates.stats.delong import paired_auc
from pytest_mlgates.stats.metrics import METRICS, as_metric
from pytest_mlgates.stats.paired import paired_difference

BINARY = [m for m in METRICS.values() if m.task == "binary"]


def probabilities(binormal, n=1000, prevalence=0.3, **options):
    y, a, b = binormal(n, prevalence, **options)
    p, q = (1 / (1 + np.exp(0.7 + np.log(1 / prevalence - 1) - 1.19 * s)) for s in (a, b))
    return y, p, q


def test_auc_is_paired_delong(binormal) -> None:
    y, a, b = binormal(500, 0.2)
    found, delong = paired_difference(METRICS["roc_auc"], y, a, b), paired_auc(y, a, b)
    assert (found.difference, found.se, found.df) == pytest.approx((delong.difference, delong.se, delong.df), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(delong.interval(0.90), rel=1e-9)
    assert found.resolvable == pytest.approx(2.486 * found.se, rel=1e-3)


def test_weights_that_only_rebalance_the_classes_leave_the_auc_alone(binormal) -> None:
    y, a, b = binormal(500, 0.5)
    weighted = paired_difference(METRICS["roc_auc"], y, a, b, weight=np.where(y, 0.04, 1.96))
    plain = paired_difference(METRICS["roc_auc"], y, a, b)
    assert (weighted.gain, weighted.se, weighted.df) == pytest.approx((plain.gain, plain.se, plain.df), rel=1e-9)


def test_mean_losses_are_a_paired_t_test(binormal) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    a, b = y + rng.normal(size=400), y + rng.normal(size=400)
    found = paired_difference(METRICS["mae"], y, a, b, level=0.9)
    theirs = stats.ttest_rel(np.abs(y - a), np.abs(y - b)).confidence_interval(0.9)
    assert found.gain == pytest.approx(np.mean(np.abs(y - a) - np.abs(y - b)))
    # Slightly wider than plain t, for its degrees of freedom allow for a few rows carrying the error.
    assert found.low <= theirs.low and found.high >= theirs.high
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.001)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.name)
def test_a_better_challenger_gains_and_swapping_turns_the_sign(metric, binormal) -> None:
    rng = np.random.default_rng(0)
    if metric.task == "binary":
        y, bad, good = probabilities(binormal, auc=0.75, challenger_auc=0.97, n=2000, prevalence=0.5)
        if metric.name == "ece":
            bad = good**0.25
    elif metric.task == "multiclass":
        y = rng.integers(0, 3, 2000)
        bad, good = (
            (p := np.exp(k * np.eye(3)[y] + rng.normal(size=(2000, 3)))) / p.sum(1, keepdims=True) for k in (1, 2)
        )
    else:
        y = rng.normal(size=2000)
        bad, good = y + rng.normal(size=2000), y + 0.5 * rng.normal(size=2000)
    there, back = (paired_difference(metric, y, *pair, draws=100) for pair in ((bad, good), (good, bad)))
    assert there.low > 0 > back.high
    assert there.gain == pytest.approx(-back.gain)
    assert there.difference == pytest.approx(there.challenger - there.champion)
    assert (there.gain == there.difference) == (metric.direction == "higher")


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.name)
def test_equal_predictions_are_identical(metric) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60) if metric.task != "regression" else rng.normal(size=60)
    pred = rng.random(60)
    if metric.task == "multiclass":
        pred = np.stack([pred, 1 - pred], axis=1)
    found = paired_difference(metric, y, pred, pred)
    assert found.identical and (found.gain, found.se, found.low, found.high) == (0, 0, 0, 0)


@pytest.mark.parametrize("metric", [m for m in BINARY if m.influence], ids=lambda m: m.name)
def test_the_error_is_the_bootstraps(metric, binormal) -> None:
    y, p, q = probabilities(binormal, 2000, 0.3, correlation=0.7)
    found = paired_difference(metric, y, p, q)
    draws = paired_bootstrap(lambda y, p, w: metric.value(y, p), y, p, q, draws=300)
    assert found.se == pytest.approx(draws.std(), rel=0.15)


def test_weights_count_rows(binormal) -> None:
    """A row of weight 2 counts as a cluster of two equal rows."""
    y, p, q = probabilities(binormal, 300)
    weight = np.random.default_rng(0).integers(1, 4, 300)
    rows = np.repeat(np.arange(300), weight)
    for metric in BINARY:
        if metric.influence and metric.needs != "labels":
            one = paired_difference(metric, y, p, q, weight=weight)
            other = paired_difference(metric, y[rows], p[rows], q[rows], groups=rows)
            assert (one.gain, one.se) == pytest.approx((other.gain, other.se), rel=1e-9), metric.name


def test_repeated_rows_in_a_cluster_do_not_narrow_the_interval(binormal) -> None:
    y, p, q = probabilities(binormal, 300)
    rows = np.repeat(np.arange(300), 4)
    for name in ("log_loss", "average_precision", "roc_auc"):
        honest = paired_difference(METRICS[name], y, p, q)
        found = paired_difference(METRICS[name], y[rows], p[rows], q[rows], groups=rows)
        naive = paired_difference(METRICS[name], y[rows], p[rows], q[rows])
        assert found.se == pytest.approx(honest.se, rel=1e-3)
        assert naive.se < 0.6 * honest.se


def test_each_model_is_cut_at_its_own_threshold(binormal) -> None:
    y, p, _ = probabilities(binormal)
    found = paired_difference(METRICS["f1"], y, p, p / 2, threshold_champion=0.4, threshold_challenger=0.2)
    assert found.gain == 0 and not found.identical
    scaled = paired_difference(METRICS["f1"], y, p, p / 2, threshold_champion=0.4, threshold_challenger=0.4)
    assert scaled.gain < 0


def test_no_changed_decision_is_no_proof_on_few_rows() -> None:
    """None of 20 positives decided otherwise still allows a few percent: the interval must not be a point."""
    y = np.arange(40) < 20
    p = np.where(y, 0.9, 0.1)
    found = paired_difference(METRICS["recall"], y, p, p * 0.99)
    assert found.gain == 0 and not found.identical
    assert found.se == pytest.approx(2**0.5 / 20)


def test_a_model_that_selects_nothing_proves_nothing_about_precision() -> None:
    y = np.arange(40) < 20
    found = paired_difference(METRICS["precision"], y, np.where(y, 0.9, 0.1), np.full(40, 0.2))
    assert found.low < -1 and found.high > 1


def test_a_users_metric_is_bootstrapped_with_its_own_thresholds(binormal) -> None:
    y, p, q = probabilities(binormal, 400)
    mine = as_metric("mine", lambda y, p: float(brier_score_loss(y, p)), "lower")
    found, exact = (paired_difference(m, y, p, q, draws=300) for m in (mine, METRICS["brier"]))
    assert found.gain == pytest.approx(exact.gain)
    assert found.se == pytest.approx(exact.se, rel=0.15)
    assert "bootstrap of 300 draws" in found.method
    assert found == paired_difference(mine, y, p, q, draws=300)
    assert found.se != paired_difference(mine, y, p, q, draws=300, seed=1).se


def test_a_users_metric_on_clusters_has_as_many_degrees_of_freedom_as_clusters(binormal) -> None:
    y, p, q = probabilities(binormal, 400)
    mine = as_metric("mine", lambda y, p: float(brier_score_loss(y, p)), "lower")
    rows = np.repeat(np.arange(400), 3)
    found = paired_difference(mine, y[rows], p[rows], q[rows], groups=rows, draws=300)
    assert found.df == min(y.sum(), (~y).sum()) - 1
    assert found.se == pytest.approx(paired_difference(METRICS["brier"], y, p, q).se, rel=0.15)


def test_a_users_metric_that_never_moves_proves_nothing(binormal) -> None:
    """A broken metric would otherwise call every challenger exactly as good."""
    y, p, q = probabilities(binormal, 400)
    with pytest.raises(ValueError, match="metric mine does not move on any of 200 draws"):
        paired_difference(as_metric("mine", lambda y, p: 1.0, "higher"), y, p, q, draws=200)


def test_a_class_with_one_row_is_refused_where_its_variance_would_read_as_zero() -> None:
    with pytest.raises(ValueError, match="class 1 has a single row"):
        paired_difference(METRICS["roc_auc"], [0, 0, 0, 1], [1, 2, 3, 4], [1, 3, 2, 4])

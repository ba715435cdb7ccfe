"""The bootstrap: exact on its own resamples, the same whoever computes it, and the right law of resamples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, roc_auc_score

from pytest_mlgates.stats import bootstrap
from pytest_mlgates.stats.bootstrap import (
    paired_auc_bootstrap,
    paired_bootstrap,
    percentile_interval,
    replicate_weights,
)
from pytest_mlgates.stats.delong import paired_auc

DRAWS = 30


def with_scikit_learn(y, a, b, counts):
    """The difference on each resample, one call a model and draw."""
    one, other = ([roc_auc_score(y, s, sample_weight=w) for w in counts] for s in (a, b))
    return np.subtract(other, one)


@pytest.mark.parametrize("digits", [1, 9], ids=["ties", "no ties"])
@pytest.mark.parametrize("prevalence", [0.02, 0.5])
def test_agrees_with_scikit_learn_on_the_same_resamples(binormal, digits, prevalence) -> None:
    y, a, b = binormal(1000, prevalence)
    a, b = a.round(digits), b.round(digits)
    found = paired_auc_bootstrap(y, a, b, draws=DRAWS, seed=5)
    expected = with_scikit_learn(y, a, b, replicate_weights(y, a, draws=DRAWS, seed=5))
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)


def test_agrees_with_scikit_learn_on_resampled_clusters(binormal) -> None:
    y, a, b = binormal(600, 0.3)
    groups = np.random.default_rng(1).integers(0, 80, 600)
    found = paired_auc_bootstrap(y, a, b, draws=DRAWS, seed=5, groups=groups)
    expected = with_scikit_learn(y, a, b, replicate_weights(y, a, draws=DRAWS, seed=5, groups=groups))
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("digits", [1, 9], ids=["ties", "no ties"])
def test_numba_changes_nothing(binormal, digits, clustered) -> None:
    pytest.importorskip("numba")
    y, a, b = binormal(3000, 0.1)
    a, b = a.round(digits), b.round(digits)
    groups = np.random.default_rng(1).integers(0, 200, 3000) if clustered else None
    plain, fast = (
        paired_auc_bootstrap(y, a, b, draws=1000, seed=2, groups=groups, engine=e) for e in ("numpy", "numba")
    )
    np.testing.assert_array_equal(plain, fast)


def test_numba_changes_nothing_on_sets_too_large_for_the_cache(binormal, monkeypatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr("pytest_mlgates.stats.resample._NEAR_UNITS", 1000)
    y, a, b = binormal(20_000, 0.5)
    plain, fast = (paired_auc_bootstrap(y, a, b, draws=64, engine=e) for e in ("numpy", "numba"))
    np.testing.assert_array_equal(plain, fast)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_threads_change_nothing(binormal, engine) -> None:
    if engine == "numba":
        pytest.importorskip("numba")
    y, a, b = binormal(20_000, 0.5)
    one, two = (paired_auc_bootstrap(y, a, b, draws=300, threads=t, engine=engine) for t in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_the_seed_decides_and_more_draws_append(binormal) -> None:
    y, a, b = binormal(500, 0.5)
    first = paired_auc_bootstrap(y, a, b, draws=100, seed=1)
    np.testing.assert_array_equal(first, paired_auc_bootstrap(y, a, b, draws=2500, seed=1)[:100])
    assert (first != paired_auc_bootstrap(y, a, b, draws=100, seed=2)).any()
    assert len(set(first)) > 90


@pytest.mark.parametrize(("work", "numba_runs"), [(10, False), (1000, True)])
def test_numba_is_woken_only_for_enough_work(binormal, monkeypatch, work, numba_runs) -> None:
    compiled = pytest.importorskip("pytest_mlgates.stats.compiled")
    woken = []
    monkeypatch.setattr(
        compiled, "replicate_block_compiled", lambda *a: woken.append(1) or bootstrap.replicate_block(*a)
    )
    monkeypatch.setattr(bootstrap, "NUMBA_PAYS", 100 * 500)
    paired_auc_bootstrap(*binormal(100, 0.5), draws=work)
    assert bool(woken) == numba_runs


def test_without_numba_the_numpy_path_answers(binormal, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pytest_mlgates.stats.compiled", None)
    monkeypatch.setattr(bootstrap, "NUMBA_PAYS", 1)
    assert len(paired_auc_bootstrap(*binormal(100, 0.5), draws=50)) == 50
    with pytest.raises(ValueError, match="numba is not installed"):
        paired_auc_bootstrap(*binormal(100, 0.5), draws=50, engine="numba")


@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 5))
@settings(max_examples=25)
def test_each_resample_keeps_the_class_sizes(n_pos, n_neg, seed) -> None:
    y = np.arange(n_pos + n_neg) < n_pos
    counts = replicate_weights(y, np.arange(len(y)), draws=200, seed=seed)
    assert (counts[:, y].sum(axis=1) == n_pos).all()
    assert (counts[:, ~y].sum(axis=1) == n_neg).all()


def test_counts_are_multinomial() -> None:
    """Each row's count over many resamples follows binomial(m, 1/m), and two rows' covary by -1/m."""
    m, draws = 40, 40_000
    y = np.arange(2 * m) < m
    counts = replicate_weights(y, np.arange(2 * m), draws=draws, seed=3)[:, :m]
    seen = np.bincount(counts.ravel(), minlength=8)[:8]
    law = stats.binom.pmf(np.arange(8), m, 1 / m)
    expected = np.append(law[:6], 1 - law[:6].sum()) * counts.size
    observed = np.append(seen[:6], counts.size - seen[:6].sum())
    assert stats.chisquare(observed, expected).pvalue > 1e-3
    covariance = np.cov(counts.T.astype(float))
    assert np.diag(covariance).mean() == pytest.approx(1 - 1 / m, abs=0.005)
    assert covariance[np.triu_indices(m, 1)].mean() == pytest.approx(-1 / m, abs=5e-4)


def test_the_spread_is_delongs_on_many_rows(binormal) -> None:
    y, a, b = binormal(4000, 0.4)
    draws = paired_auc_bootstrap(y, a, b, draws=2000)
    assert draws.std() == pytest.approx(paired_auc(y, a, b).se, rel=0.06)
    assert draws.mean() == pytest.approx(paired_auc(y, a, b).difference, abs=4 * draws.std() / 2000**0.5)


def test_clusters_widen_the_spread_when_rows_repeat(binormal) -> None:
    y, a, b = binormal(500, 0.4)
    four = np.repeat(np.arange(500), 4)
    plain = paired_auc_bootstrap(y[four], a[four], b[four], draws=500)
    clustered = paired_auc_bootstrap(y[four], a[four], b[four], draws=500, groups=four)
    assert clustered.std() == pytest.approx(2 * plain.std(), rel=0.15)


def test_any_metric_can_be_resampled(binormal) -> None:
    y, a, b = binormal(400, 0.3)
    p, q = (1 / (1 + np.exp(-s)) for s in (a, b))
    draws = paired_bootstrap(
        lambda y, p, w: brier_score_loss(y, p, sample_weight=w), y, p, q, weight=np.ones(400), draws=300, strata=y
    )
    rows = (q - y) ** 2 - (p - y) ** 2
    assert draws.std() == pytest.approx(rows.std() / 20, rel=0.15)


def test_resampled_clusters_stay_whole() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    seen = []
    paired_bootstrap(lambda y, p, w: seen.append(tuple(y)) or 0.0, groups, groups, groups, draws=40, groups=groups)
    for rows in seen:
        assert rows.count(0) % 3 == 0 and rows.count(1) % 2 == 0


def test_intervals() -> None:
    draws = np.arange(101.0)
    assert percentile_interval(draws, 0.90) == pytest.approx((5, 95))


@pytest.mark.parametrize("options", [{"draws": 0}, {"threads": 0}])
def test_no_draws_and_no_threads_are_refused(options) -> None:
    with pytest.raises(ValueError, match="is 0; give at least 1"):
        paired_auc_bootstrap([0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4], **options)


def test_a_metric_that_fails_on_resamples_is_named() -> None:
    with pytest.raises(ValueError, match="not a finite number on some resamples"):
        paired_bootstrap(lambda y, p, w: float("nan"), [0, 1], [0, 1], [1, 0], draws=5)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="the challenger has 3 rows, the labels 2"):
        paired_bootstrap(lambda y, p, w: 0.0, [0, 1], [0, 1], [1, 0, 1], draws=5)

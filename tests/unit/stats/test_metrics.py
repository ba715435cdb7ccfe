"""Every metric is scikit-learn's, weights included, and its influence values are its true derivatives."""

import numpy as np
import pytest
from sklearn import metrics as sk

from pytest_mlgates.stats.metrics import METRICS, as_metric
from pytest_mlgates.stats.regression_metrics import pinball


def cut(function):
    return lambda y, p, **weight: function(y, p >= 0.5, **weight)


def top(function, **options):
    return lambda y, p, **weight: function(y, p.argmax(axis=1), **options, **weight)


THEIRS = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "f1": cut(sk.f1_score),
    "precision": cut(sk.precision_score),
    "recall": cut(sk.recall_score),
    "roc_auc_ovr": lambda y, p, **w: sk.roc_auc_score(y, p, multi_class="ovr", average="macro", **w),
    "multiclass_log_loss": sk.log_loss,
    "macro_f1": top(sk.f1_score, average="macro"),
    "accuracy": top(sk.accuracy_score),
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "pinball": sk.mean_pinball_loss,
}


def sample(task, n=500, seed=0):
    rng = np.random.default_rng(seed)
    if task == "binary":
        y = rng.random(n) < 0.3
        # Two digits, so that some scores tie; a few at 0 and 1, where logarithms need care.
        return y, np.clip(1 / (1 + np.exp(1 - 2.5 * y - rng.normal(size=n))).round(2), 0, 1)
    if task == "multiclass":
        y = rng.integers(0, 3, n)
        p = rng.dirichlet([1, 1, 1], n) + 0.4 * np.eye(3)[y]
        return y, p / p.sum(axis=1, keepdims=True)
    y = rng.normal(size=n)
    return y, y + 0.5 * rng.normal(size=n)


def test_every_metric_with_a_counterpart_is_compared() -> None:
    assert set(METRICS) - set(THEIRS) == {"ece"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", THEIRS)
def test_is_scikit_learns(name, seed) -> None:
    metric = METRICS[name]
    y, pred = sample(metric.task, seed=seed)
    weight = np.random.default_rng(9).random(len(y)).round(1)
    assert metric.value(y, pred) == pytest.approx(THEIRS[name](y, pred), abs=1e-12)
    theirs = THEIRS[name](y, pred, sample_weight=weight)
    assert metric.value(y, pred, weight=weight) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.influence])
def test_influence_is_the_derivative_in_each_rows_weight(name) -> None:
    metric = METRICS[name]
    y, pred = sample(metric.task, n=60)
    weight = np.random.default_rng(9).random(60) + 0.2
    found = metric.influence(metric.read(y, pred, weight, 0.5))
    assert found.value == metric.value(y, pred, weight=weight)
    assert np.dot(found.rows, weight) == pytest.approx(0, abs=1e-10)
    for row in range(0, 60, 7):
        up, down = weight.copy(), weight.copy()
        up[row] += 1e-5
        down[row] -= 1e-5
        slope = (metric.value(y, pred, weight=up) - metric.value(y, pred, weight=down)) / 2e-5
        assert found.rows[row] == pytest.approx(slope * weight.sum(), abs=1e-5)


def test_calibration_error_by_hand() -> None:
    """Two bins of 1/15: 0.01 and 0.02 with one positive of two, 0.99 with none of one."""
    expected = (abs(1 - 0.03) + 0.99) / 3
    assert METRICS["ece"].value([1, 0, 0], [0.01, 0.02, 0.99]) == pytest.approx(expected)
    assert METRICS["ece"].value([1, 0, 0], [1.0, 0.0, 0.0]) == 0


def test_the_threshold_is_the_models() -> None:
    y, p = [0, 0, 1, 1], [0.1, 0.4, 0.4, 0.9]
    recall = METRICS["recall"]
    assert (recall.value(y, p, threshold=0.4), recall.value(y, p, threshold=0.5)) == (1.0, 0.5)


def test_predicted_classes_serve_where_probabilities_do() -> None:
    y, p = sample("multiclass")
    for name in ("accuracy", "macro_f1"):
        assert METRICS[name].value(y, p.argmax(axis=1)) == METRICS[name].value(y, p)


def test_which_metrics_change_with_the_class_balance() -> None:
    """Doubling the negatives leaves `uses_prevalence=False` metrics of a binary label alone, and only those."""
    y, p = sample("binary")
    more = np.concatenate([np.arange(len(y)), np.flatnonzero(~y)])
    for name in [m.name for m in METRICS.values() if m.task == "binary"]:
        unchanged = METRICS[name].value(y, p) == pytest.approx(METRICS[name].value(y[more], p[more]), abs=1e-9)
        assert unchanged is not METRICS[name].uses_prevalence, name


@pytest.mark.parametrize(
    ("name", "y", "pred", "options", "message"),
    [
        ("log_loss", [0, 1], [0.2, 1.2], {}, r"spans 0.2 to 1.2; give probabilities inside \[0, 1\]"),
        ("brier", [0, 1], [-0.1, 0.5], {}, "spans -0.1 to 0.5"),
        ("ece", [0, 1], [0.2, 3.0], {}, "spans 0.2 to 3"),
        ("f1", [0, 1], [0.2, np.nan], {}, "1 infinite or NaN"),
        ("rmse", [0.0, np.inf], [0, 1], {}, "the target column has 1 infinite or NaN"),
        ("roc_auc", [0, 0], [0.2, 0.4], {}, "all 2 labels are 0"),
        ("roc_auc", [0, 1], [0.2, 0.4], {"weight": [0, 1]}, "weights of one class are all zero"),
        ("average_precision", [0, 1], [0.2, 0.4], {"weight": [1, 0]}, "positive class are all zero"),
        ("brier", [0, 1], [0.2, 0.4], {"weight": [-1, 2]}, "negative values"),
        ("brier", [0, 1], [0.2, 0.4], {"weight": [0, 0]}, "all zero"),
        ("brier", [0, 1], [0.2, 0.4], {"weight": [1]}, "the weight column has 1 rows where the labels have 2"),
        ("brier", [0, 1], [0.2, 0.4, 0.3], {}, "has 3 rows where the labels have 2"),
        ("accuracy", [0, 3], [[0.5, 0.3, 0.2]] * 2, {}, "reach class 3 where the model predicts 0 to 2"),
        ("accuracy", [0, 0.5], [[0.5, 0.3, 0.2]] * 2, {}, "whole class numbers"),
        ("multiclass_log_loss", [0, 1], [[0.5, 0.3], [0.5, 0.5]], {}, "miss a sum of 1 by up to 0.2"),
        ("multiclass_log_loss", [0, 1], [0.5, 0.3], {}, r"give probabilities \(n, classes\)"),
        ("roc_auc_ovr", [0, 1], [[0.5, 0.3, 0.2]] * 2, {}, "class 2 has no rows"),
        ("r2", [1.0, 1.0], [1, 2], {}, "target column is constant"),
        ("rmse", [], [], {}, "is empty"),
    ],
)
def test_bad_input_is_named(name, y, pred, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        METRICS[name].value(y, pred, **options)


def test_constant_scores_are_an_auc_of_one_half() -> None:
    assert METRICS["roc_auc"].value([0, 1, 1], [0.3, 0.3, 0.3]) == 0.5


def test_pinball_of_any_quantile() -> None:
    y, p = sample("regression")
    assert pinball(0.9).value(y, p) == pytest.approx(sk.mean_pinball_loss(y, p, alpha=0.9), abs=1e-12)
    with pytest.raises(ValueError, match="between 0 and 1"):
        pinball(1.0)


class TestUsersOwn:
    """A user's function or scikit-learn scorer becomes a metric."""

    def test_a_function(self) -> None:
        metric = as_metric("hits", lambda y, p: float(np.mean(y == (p > 0.5))), "higher")
        assert metric.value([0, 1], [0.2, 0.4]) == 0.5

    def test_a_function_with_weights(self) -> None:
        metric = as_metric(
            "brier2", lambda y, p, sample_weight=None: sk.brier_score_loss(y, p, sample_weight=sample_weight), "lower"
        )
        assert metric.value([0, 1], [0.0, 0.0], weight=[3, 1]) == 0.25

    @pytest.mark.parametrize("beta", [0.5, 2])
    def test_a_scorer_of_labels_sees_labels_cut_at_the_threshold(self, beta) -> None:
        y, p = sample("binary")
        metric = as_metric("fbeta", sk.make_scorer(sk.fbeta_score, beta=beta), "higher")
        expected = sk.fbeta_score(y, p >= 0.7, beta=beta)
        assert metric.value(y, p, threshold=0.7) == pytest.approx(expected)

    def test_a_scorer_of_losses_keeps_its_sign(self) -> None:
        y, p = sample("binary")
        metric = as_metric("mine", sk.get_scorer("neg_log_loss"), "higher")
        assert metric.value(y, p) == pytest.approx(-sk.log_loss(y, p))

    def test_weights_for_a_function_without_them(self) -> None:
        with pytest.raises(ValueError, match="metric m takes no weights"):
            as_metric("m", lambda y, p: 0.0, "higher").value([0, 1], [0, 1], weight=[1, 1])

    def test_one_that_raises(self) -> None:
        with pytest.raises(ValueError, match="metric m failed with ZeroDivisionError: division by zero"):
            as_metric("m", lambda y, p: 1 / 0, "higher").value([0, 1], [0, 1])

    def test_one_that_returns_nan(self) -> None:
        with pytest.raises(ValueError, match="metric m returned nan"):
            as_metric("m", lambda y, p: float("nan"), "higher").value([0, 1], [0, 1])

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (np.array([0.5, 0.6]), "a ndarray of shape (2,)"),
            ([0.5], "a list of shape (1,)"),
            ("0.9", "a str"),
            (True, "a bool"),
            (None, "None"),
            (float("inf"), "inf"),
        ],
    )
    def test_one_that_returns_no_number(self, value, said) -> None:
        with pytest.raises(ValueError) as raised:
            as_metric("m", lambda y, p: value, "higher").value([0, 1], [0, 1])
        assert str(raised.value) == f"metric m returned {said}; it must return one finite number"

    @pytest.mark.parametrize("value", [np.float32(0.5), np.int64(1), np.array(0.5), 1])
    def test_numpys_numbers_are_numbers(self, value) -> None:
        assert as_metric("m", lambda y, p: value, "higher").value([0, 1], [0, 1]) == float(value)

    def test_one_that_sorts_its_arrays_in_place(self) -> None:
        """It would judge the next model on other labels."""
        y = np.array([1, 0])
        with pytest.raises(ValueError, match="metric m failed with ValueError: sort array is read-only"):
            as_metric("m", lambda y, p: float(y.sort() or 0), "higher").value(y, np.array([0.1, 0.2]))
        assert y.tolist() == [1, 0]

    def test_a_scorer_of_labels_sees_the_highest_of_several_classes(self) -> None:
        y, p = sample("multiclass")
        metric = as_metric("balanced", sk.get_scorer("balanced_accuracy"), "higher", task="multiclass")
        expected = sk.balanced_accuracy_score(y, p.argmax(axis=1))
        assert metric.value(y, p) == metric.value(y, p.argmax(axis=1)) == pytest.approx(expected)

    def test_unequal_lengths(self) -> None:
        with pytest.raises(ValueError, match="3 rows, the labels 2"):
            as_metric("m", lambda y, p: 0.0, "higher").value([0, 1], [0, 1, 2])

    def test_neither_function_nor_direction(self) -> None:
        with pytest.raises(ValueError, match="give a function"):
            as_metric("m", "accuracy", "higher")
        with pytest.raises(ValueError, match="'higher' or 'lower'"):
            as_metric("m", lambda y, p: 0.0, "up")

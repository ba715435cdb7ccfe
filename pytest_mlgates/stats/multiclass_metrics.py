"""Metrics of a class label 0 .. k - 1 against probabilities (n, k), or against predicted classes (n,)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.binary_metrics import class_strata, mean_influence
from pytest_mlgates.stats.checks import class_labels, floats, probability_rows, weights
from pytest_mlgates.stats.metric import Influence, Metric, Sample
from pytest_mlgates.stats.ranks import placements, weighted_placements


def read_class_probabilities(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
    rows = probability_rows(pred, "the predictions", length=len(np.asarray(y)))
    labels = class_labels(y, rows.shape[1])
    return Sample(labels, rows, weights(weight, len(labels)), threshold)


def read_classes(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
    """Predicted classes, either as such or as the most probable class of (n, k) probabilities."""
    if np.ndim(pred) == 2:
        s = read_class_probabilities(y, pred, weight, threshold)
        return s._replace(pred=np.argmax(s.pred, axis=1))
    chosen = floats(pred, "the predicted classes", length=len(np.asarray(y)))
    labels = class_labels(y, np.iinfo(np.int32).max)
    return Sample(labels, class_labels(chosen, int(max(chosen.max(), 1)) + 1), weights(weight, len(labels)), threshold)


def _auc_ovr(s: Sample) -> Influence:
    """Mean over classes of the AUC of one class against the rest."""
    classes = s.pred.shape[1]
    counts = np.bincount(s.truth, minlength=classes)
    if not counts.all():
        missing = int(np.flatnonzero(counts == 0)[0])
        raise ValueError(f"class {missing} has no rows, so its one-vs-rest AUC is undefined; give rows of it")
    value, rows = 0.0, np.zeros(len(s.truth))
    for k in range(classes):
        one = s.truth == k
        if s.weight is None:
            auc, place = placements(one, s.pred[:, k])
        else:
            auc, place = weighted_placements(one, s.pred[:, k], s.weight)
        share = float(np.average(one, weights=s.weight))
        value += auc / classes
        rows += (place - auc) / np.where(one, share, 1 - share) / classes
    return Influence(value, rows, even=True)


def _log_loss(s: Sample) -> Influence:
    tiny = float(np.finfo(np.float64).eps)
    of_truth = np.clip(s.pred[np.arange(len(s.truth)), s.truth], tiny, 1 - tiny)
    return mean_influence(-np.log(of_truth), s.weight)


def _accuracy(s: Sample) -> Influence:
    return mean_influence((s.truth == s.pred).astype(float), s.weight)._replace(step=1.0)


def _macro_f1(s: Sample) -> Influence:
    """Mean F1 over the classes that occur among labels or predictions."""
    present = np.union1d(s.truth, s.pred)
    value, rows, step = 0.0, np.zeros(len(s.truth)), 0.0
    for k in present:
        hit = ((s.truth == k) & (s.pred == k)).astype(float)
        size = (s.truth == k).astype(float) + (s.pred == k)
        below = float(np.average(size, weights=s.weight))
        if below == 0:
            continue
        f1 = 2 * float(np.average(hit, weights=s.weight)) / below
        value += f1 / len(present)
        rows += (2 * hit - f1 * size) / below / len(present)
        step = max(step, 1 / below / len(present))
    return Influence(value, rows, step)


def _value(influence: Influence) -> float:
    return float(influence.value)


MULTICLASS = (
    Metric(
        "roc_auc_ovr",
        "higher",
        "multiclass",
        "probabilities",
        True,
        0.005,
        read_class_probabilities,
        lambda s: _value(_auc_ovr(s)),
        _auc_ovr,
        strata=class_strata,
    ),
    Metric(
        "multiclass_log_loss",
        "lower",
        "multiclass",
        "probabilities",
        True,
        0.01,
        read_class_probabilities,
        lambda s: _value(_log_loss(s)),
        _log_loss,
        strata=class_strata,
    ),
    Metric(
        "macro_f1",
        "higher",
        "multiclass",
        "labels",
        True,
        0.01,
        read_classes,
        lambda s: _value(_macro_f1(s)),
        _macro_f1,
        strata=class_strata,
    ),
    Metric(
        "accuracy",
        "higher",
        "multiclass",
        "labels",
        True,
        0.01,
        read_classes,
        lambda s: _value(_accuracy(s)),
        _accuracy,
        strata=class_strata,
    ),
)

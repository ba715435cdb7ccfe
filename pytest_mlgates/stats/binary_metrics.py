"""Metrics of a 0/1 label: rank metrics, probability metrics, and metrics of the decision at a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_mlgates.stats.checks import Bools, Floats, Ints, binary_labels, floats, probabilities, weights
from pytest_mlgates.stats.metric import Influence, Metric, Sample
from pytest_mlgates.stats.ranks import placements, weighted_placements

ECE_BINS = 15  # equal-width bins, as in Guo et al. 2017


def read_scores(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
    labels = binary_labels(y)
    scores = floats(pred, "the scores", length=len(labels))
    return Sample(labels, scores, weights(weight, len(labels)), threshold)


def read_probabilities(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
    labels = binary_labels(y)
    scores = probabilities(pred, "the score column", length=len(labels))
    return Sample(labels, scores, weights(weight, len(labels)), threshold)


def class_strata(truth: NDArray[Any]) -> Ints:
    """Each row's class as a code from 0."""
    codes = truth if truth.dtype == np.bool_ else np.unique(truth, return_inverse=True)[1]
    return codes.astype(np.int64)


def mean_influence(losses: Floats, weight: Floats | None) -> Influence:
    """The influence of rows on a weighted mean."""
    value = float(np.average(losses, weights=weight))
    return Influence(value, losses - value)


def _auc(s: Sample) -> Influence:
    if s.weight is None:
        auc, place = placements(s.truth, s.pred)
        share = float(np.mean(s.truth))
    else:
        auc, place = weighted_placements(s.truth, s.pred, s.weight)
        share = float(np.average(s.truth, weights=s.weight))
    return Influence(auc, (place - auc) / np.where(s.truth, share, 1 - share), even=True)


def _average_precision(s: Sample) -> Influence:
    """Step-wise area under precision and recall; its influence is the derivative in each row's weight."""
    w = np.ones(len(s.truth)) if s.weight is None else s.weight
    order = np.argsort(-s.pred)
    ranked, positive, w = s.pred[order], s.truth[order], w[order]
    last = np.concatenate((np.flatnonzero(ranked[1:] != ranked[:-1]), [len(ranked) - 1]))
    size = np.diff(last, prepend=-1)
    true = np.cumsum(w * positive)[last]
    false = np.cumsum(w * ~positive)[last]
    total = float(true[-1])
    if total <= 0:
        raise ValueError("the weights of the positive class are all zero; give positives a weight above 0")
    reached = np.maximum(true + false, 1e-300)
    gained = np.diff(true, prepend=0.0)
    precision = true / reached
    value = float((gained * precision).sum() / total)
    # A row also counts in the precision of every positive ranked at or below it.
    lift = np.cumsum((gained * false / reached**2)[::-1])[::-1]
    drag = np.cumsum((gained * true / reached**2)[::-1])[::-1]
    slope = np.where(positive, np.repeat(precision + lift, size) - value, -np.repeat(drag, size)) / total
    rows = np.empty(len(w))
    rows[order] = slope * w.sum()
    return Influence(value, rows)


def _log_losses(s: Sample) -> Floats:
    tiny = float(np.finfo(np.float64).eps)
    of_truth = np.where(s.truth, s.pred, 1 - s.pred)
    losses: Floats = -np.log(np.clip(of_truth, tiny, 1 - tiny))
    return losses


def _brier_losses(s: Sample) -> Floats:
    losses: Floats = (s.pred - s.truth) ** 2
    return losses


def _ece(s: Sample) -> float:
    w = np.ones(len(s.truth)) if s.weight is None else s.weight
    bins = np.minimum((s.pred * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=w * (s.truth - s.pred), minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / w.sum())


def _ratio(top: Floats, bottom: Floats, weight: Floats | None, flip: float) -> Influence:
    """Influence on mean(top) / mean(bottom); 0 by convention when nothing is in the denominator.

    One decision could then move the value over its whole range, which `step` says.
    """
    below = float(np.average(bottom, weights=weight))
    if below == 0:
        return Influence(0.0, np.zeros(len(top)), float(len(top)))
    value = float(np.average(top, weights=weight)) / below
    return Influence(value, (top - value * bottom) / below, flip / below)


def _decided(s: Sample) -> tuple[Bools, Bools]:
    return s.pred >= s.threshold, s.truth


def _precision(s: Sample) -> Influence:
    chosen, truth = _decided(s)
    return _ratio((chosen & truth).astype(float), chosen.astype(float), s.weight, 1.0)


def _recall(s: Sample) -> Influence:
    chosen, truth = _decided(s)
    return _ratio((chosen & truth).astype(float), truth.astype(float), s.weight, 1.0)


def _f1(s: Sample) -> Influence:
    chosen, truth = _decided(s)
    return _ratio(2 * (chosen & truth).astype(float), chosen.astype(float) + truth, s.weight, 1.0)


def _log_loss(s: Sample) -> Influence:
    return mean_influence(_log_losses(s), s.weight)


def _brier(s: Sample) -> Influence:
    return mean_influence(_brier_losses(s), s.weight)


def _binary(name: str, direction: Any, needs: Any, prevalence: bool, margin: float, influence: Any) -> Metric:
    read = read_probabilities if needs == "probabilities" else read_scores
    return Metric(
        name,
        direction,
        "binary",
        needs,
        prevalence,
        margin,
        read,
        lambda s: float(influence(s).value),
        influence,
        strata=class_strata,
    )


BINARY = (
    _binary("roc_auc", "higher", "scores", False, 0.005, _auc),
    _binary("average_precision", "higher", "scores", True, 0.01, _average_precision),
    _binary("log_loss", "lower", "probabilities", True, 0.01, _log_loss),
    _binary("brier", "lower", "probabilities", True, 0.005, _brier),
    Metric("ece", "lower", "binary", "probabilities", True, 0.01, read_probabilities, _ece, strata=class_strata),
    _binary("f1", "higher", "labels", True, 0.01, _f1),
    _binary("precision", "higher", "labels", True, 0.01, _precision),
    _binary("recall", "higher", "labels", False, 0.01, _recall),
)

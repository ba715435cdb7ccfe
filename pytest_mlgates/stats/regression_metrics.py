"""Metrics of a numeric target."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.binary_metrics import mean_influence
from pytest_mlgates.stats.checks import Floats, floats, weights
from pytest_mlgates.stats.metric import Influence, Metric, Sample


def read_values(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
    truth = floats(y, "the target column")
    return Sample(truth, floats(pred, "the predictions", length=len(truth)), weights(weight, len(truth)), threshold)


def _rmse(s: Sample) -> Influence:
    squares = mean_influence((s.truth - s.pred) ** 2, s.weight)
    value = float(np.sqrt(squares.value))
    return Influence(value, squares.rows / (2 * value) if value > 0 else squares.rows)


def _mae(s: Sample) -> Influence:
    return mean_influence(np.abs(s.truth - s.pred), s.weight)


def _r2(s: Sample) -> Influence:
    """1 - mean squared error / variance of the target. Raises ValueError when the target is constant."""
    errors = mean_influence((s.truth - s.pred) ** 2, s.weight)
    centre = float(np.average(s.truth, weights=s.weight))
    around = mean_influence((s.truth - centre) ** 2, s.weight)
    if around.value == 0:
        raise ValueError("the target column is constant, so R2 is not defined; give rows whose target varies")
    ratio = errors.value / around.value
    return Influence(1 - ratio, (ratio * around.rows - errors.rows) / around.value)


def _pinball_losses(s: Sample, quantile: float) -> Floats:
    error = s.truth - s.pred
    losses: Floats = np.where(error >= 0, quantile * error, (quantile - 1) * error)
    return losses


def pinball(quantile: float) -> Metric:
    """The pinball loss of a predicted quantile, e.g. 0.9 (Koenker & Bassett 1978)."""
    if not 0 < quantile < 1:
        raise ValueError(f"the quantile is {quantile:g}; give one between 0 and 1")

    def influence(s: Sample) -> Influence:
        return mean_influence(_pinball_losses(s, quantile), s.weight)

    name = "pinball" if quantile == 0.5 else f"pinball_{quantile:g}"
    return Metric(
        name,
        "lower",
        "regression",
        "values",
        False,
        0.01,
        read_values,
        lambda s: influence(s).value,
        influence,
        margin_unit="relative",
    )


REGRESSION = (
    Metric(
        "rmse",
        "lower",
        "regression",
        "values",
        False,
        0.01,
        read_values,
        lambda s: _rmse(s).value,
        _rmse,
        margin_unit="relative",
    ),
    Metric(
        "mae",
        "lower",
        "regression",
        "values",
        False,
        0.01,
        read_values,
        lambda s: _mae(s).value,
        _mae,
        margin_unit="relative",
    ),
    Metric("r2", "higher", "regression", "values", False, 0.01, read_values, lambda s: _r2(s).value, _r2),
    pinball(0.5),
)

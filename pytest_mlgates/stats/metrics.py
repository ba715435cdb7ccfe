"""The registry of metrics by name, and the way in for a user's own metric."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_mlgates.stats.binary_metrics import BINARY, class_strata
from pytest_mlgates.stats.checks import weights
from pytest_mlgates.stats.metric import Direction, Metric, Needs, Sample, Task
from pytest_mlgates.stats.multiclass_metrics import MULTICLASS
from pytest_mlgates.stats.regression_metrics import REGRESSION

__all__ = ["METRICS", "Metric", "as_metric"]

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in (*BINARY, *MULTICLASS, *REGRESSION)})


def as_metric(
    name: str,
    function: Callable[..., float],
    direction: Direction,
    *,
    task: Task = "binary",
    default_margin: float = 0.01,
    uses_prevalence: bool = True,
) -> Metric:
    """A metric from a function(y, pred), a function(y, pred, sample_weight=...) or a scikit-learn scorer.

    A scorer made by `make_scorer` is read as its function, sign and options; one that calls `predict` is
    given labels cut at the threshold (of class scores, the highest one's place). The metric's differences are
    judged by the paired bootstrap. Raises ValueError when the function fails, changes its arrays, or returns
    something that is not one finite number.
    """
    if direction not in ("higher", "lower"):
        raise ValueError(f"the direction of metric {name} is {direction!r}; give 'higher' or 'lower'")
    score, needs = _plain_function(name, function)
    weight_name = _weight_name(name, score)

    def read(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
        # A function that sorts its arrays in place would judge the next model on other labels.
        truth, made = _read_only(y), _read_only(pred)
        if len(truth) != len(made):
            raise ValueError(f"the predictions have {len(made)} rows, the labels {len(truth)}; give equal lengths")
        if weight is not None and weight_name is None:
            raise ValueError(f"metric {name} takes no weights; give its function a sample_weight parameter")
        return Sample(truth, made, weights(weight, len(truth)), threshold)

    def compute(s: Sample) -> float:
        pred = _chosen(s, task) if needs == "labels" else s.pred
        extra = {} if s.weight is None or weight_name is None else {weight_name: s.weight}
        try:
            value = score(s.truth, pred, **extra)
        except Exception as error:
            # Whatever a user's function raises, the report must name the metric.
            raise ValueError(f"metric {name} failed with {type(error).__name__}: {error}") from error
        return _one_number(name, value)

    strata = None if task == "regression" else class_strata
    return Metric(name, direction, task, needs, uses_prevalence, default_margin, read, compute, strata=strata)


def _read_only(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values).view()
    array.flags.writeable = False
    return array


def _chosen(s: Sample, task: Task) -> NDArray[Any]:
    if task == "binary":
        return (s.pred >= s.threshold).astype(int)
    return np.argmax(s.pred, axis=1) if s.pred.ndim == 2 else s.pred


def _one_number(name: str, value: Any) -> float:
    """A string of digits, a truth value or an array of one number is more likely a mistake than a metric."""
    if np.ndim(value) or isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.ndarray)):
        kind = "None" if value is None else f"a {type(value).__name__}"
        shape = f" of shape {np.shape(value)}" if np.ndim(value) else ""
        raise ValueError(f"metric {name} returned {kind}{shape}; it must return one finite number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"metric {name} returned {number}; it must return one finite number")
    return number


def _weight_name(name: str, function: Callable[..., Any]) -> str | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ValueError(f"metric {name} is {function!r}, whose parameters cannot be told; wrap it in a def") from None
    return next((p.name for p in parameters if p.name in ("sample_weight", "weight")), None)


def _plain_function(name: str, function: Callable[..., float]) -> tuple[Callable[..., Any], Needs]:
    inner = getattr(function, "_score_func", None)
    if inner is None:
        if not callable(function):
            raise ValueError(f"metric {name} is {function!r}; give a function(y, pred) or a scorer")
        return function, "scores"
    sign, options = getattr(function, "_sign", 1), getattr(function, "_kwargs", {})
    method = getattr(function, "_response_method", "predict")
    takes_weight = "sample_weight" in inspect.signature(inner).parameters

    def with_weight(y: Any, pred: Any, sample_weight: Any = None) -> Any:
        return sign * inner(y, pred, sample_weight=sample_weight, **options)

    def without(y: Any, pred: Any) -> Any:
        return sign * inner(y, pred, **options)

    return (with_weight if takes_weight else without), ("labels" if method == "predict" else "scores")

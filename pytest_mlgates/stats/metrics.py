"""The registry of metrics by name, and the way in for a user's own metric."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

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
    given labels cut at the threshold. The metric's differences are judged by the paired bootstrap. Raises
    ValueError when the function fails or returns something that is not a finite number.
    """
    if direction not in ("higher", "lower"):
        raise ValueError(f"the direction of metric {name} is {direction!r}; give 'higher' or 'lower'")
    score, needs = _plain_function(name, function)
    parameters = inspect.signature(score).parameters.values()
    weight_name = next((p.name for p in parameters if p.name in ("sample_weight", "weight")), None)

    def read(y: ArrayLike, pred: ArrayLike, weight: ArrayLike | None, threshold: float) -> Sample:
        truth, made = np.asarray(y), np.asarray(pred)
        if len(truth) != len(made):
            raise ValueError(f"the predictions have {len(made)} rows, the labels {len(truth)}; give equal lengths")
        if weight is not None and weight_name is None:
            raise ValueError(f"metric {name} takes no weights; give its function a sample_weight parameter")
        return Sample(truth, made, weights(weight, len(truth)), threshold)

    def compute(s: Sample) -> float:
        pred = (s.pred >= s.threshold).astype(int) if needs == "labels" and task == "binary" else s.pred
        extra = {} if s.weight is None or weight_name is None else {weight_name: s.weight}
        try:
            value = float(score(s.truth, pred, **extra))
        except Exception as error:
            # Whatever a user's function raises, the report must name the metric.
            raise ValueError(f"metric {name} failed with {type(error).__name__}: {error}") from error
        if not math.isfinite(value):
            raise ValueError(f"metric {name} returned {value}; it must return a finite number")
        return value

    strata = None if task == "regression" else class_strata
    return Metric(name, direction, task, needs, uses_prevalence, default_margin, read, compute, strata=strata)


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

"""What a quality metric is to the gates: a name, a direction, a value, and each row's influence on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from numpy.typing import ArrayLike, NDArray

from pytest_mlgates.stats.checks import Floats, Ints

Direction = Literal["higher", "lower"]
Task = Literal["binary", "multiclass", "regression"]
Needs = Literal["scores", "labels", "probabilities", "values"]


class Sample(NamedTuple):
    """Checked input of a metric. Shapes: truth (n,), pred (n,) or (n, classes), weight (n,) or None."""

    truth: NDArray[Any]
    pred: NDArray[Any]
    weight: Floats | None
    threshold: float


class Influence(NamedTuple):
    """A metric's value and its rows' influence, the change of the value per unit of a row's relative weight.

    The weighted mean of `rows` (n,) is 0, and with weights w the error of `value` is about
    sum(w * rows) / sum(w). `step` is the most one row's changed decision moves `rows`; 0 for metrics that
    do not cut scores at a threshold. `even` says that few rows cannot dominate: true of placements in [0, 1].
    """

    value: float
    rows: Floats
    step: float = 0.0
    even: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that a golden regression can be decided on.

    `uses_prevalence`: the value changes with the class balance, so a re-balanced golden set must carry
    weights. `default_margin` is in the metric's unit, or a share of the champion's value where
    `margin_unit` is "relative". `strata` splits the rows whose variances are estimated apart.
    """

    name: str
    direction: Direction
    task: Task
    needs: Needs
    uses_prevalence: bool
    default_margin: float
    read: Callable[[ArrayLike, ArrayLike, ArrayLike | None, float], Sample]
    compute: Callable[[Sample], float]
    influence: Callable[[Sample], Influence] | None = None
    margin_unit: Literal["absolute", "relative"] = "absolute"
    strata: Callable[[NDArray[Any]], Ints] | None = None

    def value(self, y: ArrayLike, pred: ArrayLike, *, weight: ArrayLike | None = None, threshold: float = 0.5) -> float:
        """The metric of predictions `pred` against labels `y` (n,), rows weighted by `weight` (n,).

        Raises ValueError for input the metric is not defined on.
        """
        return self.compute(self.read(y, pred, weight, threshold))

"""SHAP values of golden rows, made where the model runs, and held against what the model answers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import Explanation
from pytest_mlgates.measure.plain_cells import plain_cells
from pytest_mlgates.model import Model
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Beyond what explaining may take: the process imports shap and compiles, and asks again.
_LEEWAY = 60.0
#: Fewer rows, or groups of them, tell no bootstrap anything.
FEWEST = 20


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """`weights` (n, columns): how much each input moved each row's answer; `rows` (n,) are their places in the golden
    set. `gap` is by how much the values miss the model's own answer at worst, `span` the range of those answers,
    `scale` where they add up ("answers", or "log-odds"), `again` by how much they differ when asked once more.
    """

    method: str
    columns: tuple[str, ...]
    weights: NDArray[Any]
    rows: NDArray[Any]
    of: int
    gap: float
    span: float
    scale: str
    again: float
    milliseconds: float

    @property
    def shares(self) -> dict[str, float]:
        """Each input's part of the whole explanation, largest first."""
        means = self.weights.mean(axis=0)
        total = float(means.sum()) or 1.0
        order = sorted(range(len(self.columns)), key=lambda place: (-means[place], place))
        return {self.columns[place]: float(means[place]) / total for place in order}

    def said(self) -> str:
        """How it was made, for people."""
        sampled = (
            f"{len(self.rows)} of {self.of} golden rows" if len(self.rows) < self.of else f"all {self.of} golden rows"
        )
        return f"{self.method} SHAP of {sampled}, {self.milliseconds:.3g} ms a row"


def explained(model: Model, golden: GoldenSet, asked: Explanation, seconds: float, settings: Settings) -> Explained:
    """The explanation of `model` on golden rows drawn by the seed, as many as `seconds` allow.

    Raises CouldNotEvaluate when shap is missing where the model runs, fails on it, or gives what is no number.
    """
    import numpy as np

    order = np.random.default_rng(asked.seed).permutation(len(golden))
    chosen, background = order[: asked.rows], order[-asked.background :]
    told = {
        "rows": plain_cells(golden.X.iloc[chosen]),
        "background": plain_cells(golden.X.iloc[background]),
        "dtypes": {str(name): str(dtype) for name, dtype in golden.X.dtypes.items()},
        "method": asked.method,
        "seed": asked.seed,
        "seconds": seconds,
    }
    try:
        found = model.explained({"with": "shap"}, told, seconds + _LEEWAY)
    except CouldNotEvaluate as problem:
        words = str(problem)
        if "No module named 'shap'" in words or "needs shap" in words:
            words += '; pip install "pytest-mlgates[explain]"'
        raise CouldNotEvaluate(f"{model.pinned} could not be explained: {words}") from None
    return _held_against(model, golden, chosen, found, settings)


def _held_against(model: Model, golden: GoldenSet, chosen: NDArray[Any], found: Any, settings: Settings) -> Explained:
    import numpy as np

    name = str(model.pinned)
    try:
        values, base = np.asarray(found["values"], dtype=float), np.asarray(found["base"], dtype=float)
        method, columns = str(found["method"]), tuple(map(str, found["columns"]))
        again, cost = float(found["again"]), float(found["milliseconds_a_row"])
    except (KeyError, TypeError, ValueError):
        raise CouldNotEvaluate(f"{name} could not be explained: what came back is no explanation") from None
    if columns != tuple(map(str, golden.X.columns)):
        raise CouldNotEvaluate(
            f"{name} could not be explained: values of other columns than the golden set's came back"
        )
    shape = (len(values), len(columns))
    if values.ndim != 3 or values.shape[:2] != shape or base.shape != (shape[0], values.shape[2]):
        raise CouldNotEvaluate(f"{name} could not be explained: values of shape {values.shape} came back")
    if len(values) > len(chosen):
        raise CouldNotEvaluate(f"{name} could not be explained: {len(values)} rows came back for {len(chosen)}")
    if len(values) < min(FEWEST, len(chosen)):
        raise CouldNotEvaluate(
            f"{name}: in the time that [tool.mlgates.manifest] seconds allows, {len(values)} rows could be explained, "
            f"and {FEWEST} are needed"
        )
    if not (np.isfinite(values).all() and np.isfinite(base).all() and np.isfinite(again)):
        raise CouldNotEvaluate(f"{name} could not be explained: its SHAP values are not finite")
    rows = chosen[: len(values)]
    truth = model.scores(golden.X)[rows]
    summed = _of_positive(values.sum(axis=1) + base, truth)
    gap, scale = _gap(summed, truth)
    weights = np.abs(values).sum(axis=2)
    span = float(np.ptp(truth)) or 1.0
    return Explained(method, columns, weights, rows, len(golden), gap, span, scale, again, cost)


def _of_positive(summed: NDArray[Any], truth: NDArray[Any]) -> NDArray[Any]:
    """Of two outputs those of the positive class: the one that the answers are about."""
    import numpy as np

    if truth.ndim == 2:
        return summed
    if summed.shape[1] == 1:
        return summed[:, 0]
    return summed[:, int(np.argmin([np.abs(summed[:, place] - truth).max() for place in range(summed.shape[1])]))]


def _gap(summed: NDArray[Any], truth: NDArray[Any]) -> tuple[float, str]:
    """(the largest miss, on which scale the values add up): some explain an answer itself, some its log-odds."""
    import numpy as np

    if summed.shape != truth.shape:
        return float("inf"), "none"
    ways = {"answers": summed}
    with np.errstate(over="ignore"):
        if truth.ndim == 2:
            raised = np.exp(summed - summed.max(axis=1, keepdims=True))
            ways["log-odds"] = raised / raised.sum(axis=1, keepdims=True)
        else:
            ways["log-odds"] = 1 / (1 + np.exp(-summed))
            # Of labels in another order a margin is that of the other class.
            ways["log-odds of the other class"] = 1 / (1 + np.exp(summed))
    misses = {name: float(np.abs(way - truth).max()) for name, way in ways.items()}
    best = min(misses, key=lambda name: misses[name])
    return misses[best], best

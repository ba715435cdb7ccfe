"""What a picture of two models on the same rows needs, in some tens of numbers; nothing is judged on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Points of a curve and bins of a histogram.
POINTS, BINS = 48, 40
#: Four digits are more than a picture shows.
_DIGITS = 4


def curves(y: NDArray[Any], scores: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, list[float]]]:
    """A role: `fpr` and `tpr` (p,), p <= POINTS + 1, of the ROC curve of its scores (n,) on labels `y` (n,) of 0 and 1.

    Both classes must occur.
    """
    return {role: _curve(y, of_role) for role, of_role in scores.items()}


def spread(y: NDArray[Any], scores: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """`edges` (BINS + 1,) over all scores, and a role: how many `negative` and `positive` rows (BINS,) lie between."""
    import numpy as np

    positive = y.astype(bool)
    low = min(float(of_role.min()) for of_role in scores.values())
    high = max(float(of_role.max()) for of_role in scores.values())
    # Probabilities are shown over the whole of their range.
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1.0)
    edges = np.linspace(low, high, BINS + 1)
    found: dict[str, Any] = {"edges": _short(edges)}
    for role, of_role in scores.items():
        found[role] = {
            "negative": np.histogram(of_role[~positive], edges)[0].tolist(),
            "positive": np.histogram(of_role[positive], edges)[0].tolist(),
        }
    return found


def _curve(y: NDArray[Any], scores: NDArray[Any]) -> dict[str, list[float]]:
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], y[order].astype(bool)
    # Equal scores are one step: nothing tells their rows apart.
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    tpr = np.append(0.0, np.cumsum(truth)[last] / truth.sum())
    fpr = np.append(0.0, np.cumsum(~truth)[last] / (~truth).sum())
    # Evenly along the curve, which is 2 long at most, both ends kept.
    aims = np.linspace(0.0, float((fpr + tpr)[-1]), POINTS)
    kept = np.unique(np.searchsorted(fpr + tpr, aims).clip(0, len(tpr) - 1))
    return {"fpr": _short(fpr[kept]), "tpr": _short(tpr[kept])}


def _short(values: NDArray[Any]) -> list[float]:
    short: list[float] = values.round(_DIGITS).tolist()
    return short

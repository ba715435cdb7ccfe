"""Does one feature, or a linear model, predict the label too well to be true? Then the label leaks into it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.golden.encoding import FOLDS, design, tries
from pytest_mlgates.measure.quality import FEWEST
from pytest_mlgates.policy import GoldenValidity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EASY = (
    "take out the columns that tell the label together; where the task is that easy, say so with a higher linear_auc "
    "in [tool.mlgates.golden_validity]"
)
#: The linear model is fitted on at most so many rows: its AUC is then known to about 0.001.
_MOST_ROWS = 50_000


def feature_auc(golden: GoldenSet, policy: GoldenValidity) -> Evidence:
    """The largest AUC of a single feature (for several classes: of one against the rest), with its interval.

    Each feature is tried as it is, numbers upwards or downwards, and by the rate of the label in its bins or
    values, learnt on the other folds: that finds gaps, codes and U-shapes. The interval is corrected for the
    number of features tried (Bonferroni), because the largest is picked.
    """
    from pytest_mlgates.stats.delong import single_auc

    measure = "single-feature AUC"
    sides = _sides(golden)
    if short := _too_few(sides):
        return Evidence(measure, None, len(golden), cannot_say=short)
    fold = _folds(golden, policy.seed)
    best: dict[str, tuple[float, NDArray[Any], NDArray[Any]]] = {}
    for name in map(str, golden.X.columns):
        for side in sides:
            for scores in tries(golden.X[name], side, fold):
                auc = _auc(side, scores)
                tried = (auc, side, scores) if auc >= 0.5 else (1 - auc, side, -scores)
                best[name] = max(best.get(name, tried), tried, key=lambda one: one[0])
    if not best:
        return Evidence(measure, None, len(golden), cannot_say="the golden set has no feature column")
    top = sorted(best, key=lambda name: -best[name][0])
    _, side, scores = best[top[0]]
    largest = single_auc(side, scores, groups=golden.group)
    level = 1 - 2 * policy.alpha / (len(best) * len(sides))
    interval = Interval(*largest.interval(level), level, "DeLong, Bonferroni")
    details = {
        "largest": {name: best[name][0] for name in top[:5]},
        "features": len(best),
        "remedy": f"take {top[0]!r} out where it tells the label; where it is honest, say so with a higher "
        "max_feature_auc in [tool.mlgates.golden_validity]",
    }
    return Evidence(measure, largest.auc, len(golden), interval, where=top[0], details=details)


def linear_auc(golden: GoldenSet, policy: GoldenValidity) -> Evidence:
    """The AUC of a logistic regression on the golden set, cross-validated (5 folds, groups kept together)."""
    import numpy as np

    from pytest_mlgates.stats.delong import single_auc

    measure = "linear AUC"
    sides = _sides(golden)
    if short := _too_few(sides):
        return Evidence(measure, None, len(golden), cannot_say=short)
    features = design(golden.X)
    if features.shape[1] == 0:
        return Evidence(measure, None, len(golden), cannot_say="no feature column that a linear model can take")
    n = len(golden)
    kept = np.arange(n)
    if n > _MOST_ROWS:
        kept = np.sort(np.random.default_rng(policy.seed).choice(n, _MOST_ROWS, replace=False))
    fold = _folds(golden, policy.seed)[kept]
    group = golden.group[kept] if golden.group is not None else None
    aucs = []
    for side in sides:
        try:
            scores = _out_of_fold(features[kept], side[kept], fold)
            aucs.append(single_auc(side[kept], scores, groups=group))
        except ValueError as problem:
            return Evidence(measure, None, n, cannot_say=f"it cannot be cross-validated here: {problem}")
    auc = max(aucs, key=lambda one: one.auc)
    level = 1 - 2 * policy.alpha / len(sides)
    interval = Interval(*auc.interval(level), level, f"DeLong, {FOLDS}-fold")
    return Evidence(measure, auc.auc, len(kept), interval, details={"seed": policy.seed, "remedy": _EASY})


def _sides(golden: GoldenSet) -> list[NDArray[Any]]:
    """0/1 labels (n,): the binary ones, or each class against the rest."""
    import numpy as np

    classes = np.unique(golden.y)
    chosen = classes[1:] if len(classes) == 2 else classes
    return [(golden.y == one).astype(np.int8) for one in chosen]


def _too_few(sides: list[NDArray[Any]]) -> str:
    rarest = min(min(int(side.sum()), int(len(side) - side.sum())) for side in sides)
    return f"{rarest} rows in the rarest class; at least {FEWEST} are needed" if rarest < FEWEST else ""


def _folds(golden: GoldenSet, seed: int) -> NDArray[Any]:
    """A fold (n,) for every row, drawn by seed; rows of one group share theirs."""
    import numpy as np

    units = np.arange(len(golden)) if golden.group is None else np.unique(golden.group, return_inverse=True)[1]
    drawn = np.random.default_rng(seed).permutation(int(units.max()) + 1) % FOLDS
    folds: NDArray[Any] = drawn[units]
    return folds


def _auc(side: NDArray[Any], scores: NDArray[Any]) -> float:
    from pytest_mlgates.stats.checks import binary_labels, floats
    from pytest_mlgates.stats.ranks import placements

    return placements(binary_labels(side), floats(scores, "a feature"))[0]


def _out_of_fold(features: NDArray[Any], side: NDArray[Any], fold: NDArray[Any]) -> NDArray[Any]:
    """What a logistic regression fitted on the other folds says of each row, shape (n,)."""
    import numpy as np

    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise CouldNotEvaluate(
            "scikit-learn is not installed, so no linear model can be tried: pip install scikit-learn"
        ) from None
    scores = np.zeros(len(side))
    for one in np.unique(fold):
        held = fold == one
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = LogisticRegression(C=100, max_iter=200).fit(features[~held], side[~held])
        scores[held] = fitted.decision_function(features[held])
    return scores

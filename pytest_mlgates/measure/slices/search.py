"""Slices that nobody declared: where a shallow tree finds the challenger losing most.

The tree learns on one half of the rows and its worst leaves are tested on the other half, so that looking for
them costs no false alarms. Rows of one group stay in one half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import FEWEST
from pytest_mlgates.measure.slices.rows import Slice, sliceable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_DEPTH = 2
#: A leaf holds at least this many rows, and this share, of the half it is found on.
_LEAST_ROWS, _LEAST_SHARE = 50, 0.05
#: Of a column of words only the most frequent values can bound a leaf.
_MOST_WORDS = 10


def found_slices(golden: GoldenSet, change: NDArray[Any], *, most: int, seed: int) -> list[Slice] | None:
    """The (up to `most`) worst leaves that can be tested, cut to the half they were not found on; None where there are
    too few rows, or no columns, to search.

    `change` (n,) is how much better the challenger does on each row. Raises CouldNotEvaluate without scikit-learn.
    """
    import numpy as np

    search = search_half(golden.y, golden.group, seed, classes=bool(golden.classes))
    table, columns = _encoded(sliceable(golden))
    least = max(_LEAST_ROWS, int(_LEAST_SHARE * search.sum()))
    if not columns or search.sum() < 2 * least or not _testable(golden, ~search):
        return None
    # Each class weighs the same: what a rank metric loses is the sum of both classes' mean losses.
    weight = np.ones(len(change))
    if golden.classes:
        _, codes, counts = np.unique(golden.y, return_inverse=True, return_counts=True)
        weight = 1.0 / counts[codes]
    tree = _fitted(table[search], change[search], weight[search], least, seed)
    means = tree.tree_.value[:, 0, 0]
    places = tree.apply(table)
    leaves = [leaf for leaf in np.flatnonzero(tree.tree_.children_left < 0) if means[leaf] < 0]
    leaves = [leaf for leaf in leaves if _testable(golden, (places == leaf) & ~search)]
    worst = sorted(leaves, key=lambda leaf: means[leaf])[:most]
    named = [(leaf, _conditions(tree.tree_, int(leaf), columns)) for leaf in worst]
    return [Slice(f"{words} (found)", (places == leaf) & ~search, "found") for leaf, words in named if words]


def _testable(golden: GoldenSet, rows: NDArray[Any]) -> bool:
    """Choosing by the labels alone favours neither model."""
    import numpy as np

    y = golden.y[rows]
    if not golden.classes:
        return len(y) >= FEWEST
    return min(int(np.count_nonzero(y == one)) for one in np.unique(golden.y)) >= FEWEST


def row_changes(task: str, y: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """How much better the challenger (`second`) does on each row, (n,): by placement among the other class
    (binary), by the true class's probability or whether it was chosen (multiclass), or by absolute error (regression).
    """
    import numpy as np

    if task == "regression":
        return np.asarray(np.abs(y - first) - np.abs(y - second))
    if task == "multiclass":
        rows = np.arange(len(y))
        right = [model == y if model.ndim == 1 else model[rows, y] for model in (first, second)]
        gained: NDArray[Any] = right[1].astype(float) - right[0]
        return gained
    from pytest_mlgates.stats.ranks import placements

    labels = y.astype(bool)
    return placements(labels, second)[1] - placements(labels, first)[1]


def search_half(y: NDArray[Any], group: NDArray[Any] | None, seed: int, *, classes: bool) -> NDArray[np.bool_]:
    """(n,) bool: the half that is searched; balanced by class, or by whole groups where there are any."""
    import numpy as np

    rng = np.random.default_rng(seed)
    units = np.arange(len(y)) if group is None else np.unique(group, return_inverse=True)[1]
    count = int(units.max()) + 1
    strata = np.zeros(count, dtype=np.int64)
    if group is None and classes:
        strata = np.unique(y, return_inverse=True)[1]
    searched = np.zeros(count, dtype=bool)
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        searched[members[: len(members) // 2]] = True
    half: NDArray[np.bool_] = searched[units]
    return half


def _encoded(frame: pd.DataFrame) -> tuple[NDArray[Any], list[tuple[str, str]]]:
    """(n, columns) numbers, and each column's (name, value) where value is "" for a number."""
    import numpy as np

    made, names = [], []
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind in "iufb":
            made.append(column.to_numpy(float))
            names.append((str(name), ""))
        elif column.dtype.kind != "M":
            for value in column.value_counts().index[:_MOST_WORDS]:
                made.append((column == value).to_numpy(float))
                names.append((str(name), str(value)))
    return (np.column_stack(made) if made else np.empty((len(frame), 0))), names


def _fitted(table: NDArray[Any], change: NDArray[Any], weight: NDArray[Any], least: int, seed: int) -> Any:
    try:
        from sklearn.tree import DecisionTreeRegressor
    except ImportError:
        raise CouldNotEvaluate(
            "finding slices needs scikit-learn: pip install scikit-learn, or set found = 0 in [tool.mlgates.slices]"
        ) from None
    tree = DecisionTreeRegressor(max_depth=_DEPTH, min_samples_leaf=least, random_state=seed)
    return tree.fit(table, change, sample_weight=weight)


def _conditions(tree: Any, leaf: int, columns: list[tuple[str, str]]) -> str:
    """The way to `leaf` in words, narrowest bound a column; empty for the root."""
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    node = leaf
    while node:
        at_left = node in tree.children_left
        parent = int((tree.children_left if at_left else tree.children_right).tolist().index(node))
        feature, edge = int(tree.feature[parent]), float(tree.threshold[parent])
        if at_left:
            high[feature] = min(edge, high.get(feature, edge))
        else:
            low[feature] = max(edge, low.get(feature, edge))
        node = parent
    words = []
    for feature in sorted(low.keys() | high.keys()):
        name, value = columns[feature]
        if value:
            words.append(f"{name}={value}" if feature in low else f"{name}!={value}")
        elif feature in low and feature in high:
            words.append(f"{low[feature]:.4g}<{name}<={high[feature]:.4g}")
        else:
            words.append(f"{name}>{low[feature]:.4g}" if feature in low else f"{name}<={high[feature]:.4g}")
    return " & ".join(words)

"""A feature as numbers that a ranking or a linear model can use. All arrays have a row for each row of the set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: Folds that a rate, or a linear model, is learnt across.
FOLDS = 5
_BINS = 20
#: A column with more values than this is binned (numbers) or not one-hot encoded (words).
_LEVELS = 50


def tries(column: pd.Series[Any], side: NDArray[Any], fold: NDArray[Any]) -> list[NDArray[Any]]:
    """The scores (n,) that one feature gives."""
    import numpy as np
    import pandas as pd

    numbers = _numbers(column)
    if numbers is None:
        return [_rates(pd.factorize(column.astype(object))[0] + 1, side, fold)]
    known = np.isfinite(numbers)
    if not known.any():
        return [_rates(known.astype(int), side, fold)]
    filled = np.where(known, numbers, np.median(numbers[known]))
    return [filled, _rates(_bins(numbers, known), side, fold)]


def _numbers(column: pd.Series[Any]) -> NDArray[Any] | None:
    """(n,) floats with NaN for gaps, or None for text and categories."""
    import numpy as np
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        numbers: NDArray[Any] = column.to_numpy(dtype=float, na_value=np.nan)
        return numbers
    if types.is_datetime64_any_dtype(column.dtype):
        gaps = column.isna().to_numpy()
        return np.where(gaps, np.nan, column.astype("int64").to_numpy(dtype=float))
    return None


def _bins(numbers: NDArray[Any], known: NDArray[Any]) -> NDArray[Any]:
    """A bin (n,) for every row, 0 for gaps: each value its own where there are few, else 20 of like size."""
    import numpy as np

    edges = np.unique(numbers[known])
    if len(edges) > _LEVELS:
        edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _BINS + 1)[:-1]))
    return np.where(known, np.searchsorted(edges, np.where(known, numbers, edges[0]), side="right"), 0)


def _rates(bins: NDArray[Any], side: NDArray[Any], fold: NDArray[Any]) -> NDArray[Any]:
    """The rate of the label in each row's bin, learnt without the row's own fold (one row of the average added)."""
    import numpy as np

    cells, code = bins * FOLDS + fold, int(bins.max()) + 1
    rows = np.bincount(cells, minlength=code * FOLDS).reshape(code, FOLDS)
    hits = np.bincount(cells, weights=side, minlength=code * FOLDS).reshape(code, FOLDS)
    others = rows.sum(axis=1, keepdims=True) - rows
    rate = (hits.sum(axis=1, keepdims=True) - hits + side.mean()) / (others + 1)
    scores: NDArray[Any] = rate[bins, fold]
    return scores


def design(rows: pd.DataFrame) -> NDArray[Any]:
    """(n, columns) standardised numbers, a column for the gaps of each that has some, and one-hot words."""
    import numpy as np
    import pandas as pd

    parts: list[NDArray[Any]] = []
    for name in rows.columns:
        numbers = _numbers(rows[name])
        if numbers is not None:
            known = np.isfinite(numbers)
            if not known.any():
                continue
            spread = float(numbers[known].std()) or 1.0
            parts.append(np.where(known, (numbers - numbers[known].mean()) / spread, 0.0)[:, None])
            parts += [] if known.all() else [(~known).astype(float)[:, None]]
        else:
            code, words = pd.factorize(rows[name].astype(object))
            if len(words) <= _LEVELS:
                parts.append((code[:, None] == np.arange(-1, len(words))).astype(float))
    return np.hstack(parts) if parts else np.empty((len(rows), 0))

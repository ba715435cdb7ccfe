"""Arrays as the statistics need them, or one sentence that says what was given and what to give instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def floats(values: ArrayLike, name: str, *, length: int | None = None) -> Floats:
    """`values` as finite float64 of shape (n,)."""
    array = _numeric(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; give one value per row, shape (n,)")
    _same_length(array, name, length)
    return array


def probabilities(values: ArrayLike, name: str, *, length: int | None = None) -> Floats:
    """`values` as float64 of shape (n,) inside [0, 1]."""
    array = floats(values, name, length=length)
    _inside_unit(array, name)
    return array


def probability_rows(values: ArrayLike, name: str, *, length: int | None = None) -> Floats:
    """`values` as float64 of shape (n, classes): one probability per class, rows summing to 1."""
    array = _numeric(values, name)
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"{name} has shape {array.shape}; give probabilities (n, classes)")
    _same_length(array, name, length)
    _inside_unit(array, name)
    worst = float(np.abs(array.sum(axis=1) - 1).max())
    if worst > 1e-5:
        raise ValueError(f"{name} has rows that miss a sum of 1 by up to {worst:.3g}; give probabilities")
    return array


def _numeric(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds values that are not numbers; give finite numbers") from None
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one row")
    # A sum is infinite or NaN whenever an element is, and costs no temporary array; it can also
    # overflow on finite input, hence the exact look only when it is not finite.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious and (bad := int((~np.isfinite(array)).sum())):
        raise ValueError(f"{name} has {bad} infinite or NaN values; give finite numbers")
    return array


def _inside_unit(array: Floats, name: str) -> None:
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise ValueError(f"{name} spans {low:.6g} to {high:.6g}; give probabilities inside [0, 1]")


def _same_length(array: NDArray[Any], name: str, length: int | None) -> None:
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows where the labels have {length}; give equal lengths")


def binary_labels(y: ArrayLike) -> Bools:
    """Labels as bool (n,), True the positive class; both classes must occur."""
    array = np.asarray(y)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"the labels have shape {array.shape}; give one 0/1 label per row, shape (n,)")
    if array.dtype != np.bool_:
        positive = array == 1
        if not np.array_equal(positive, array != 0):
            raise ValueError("the labels hold values other than 0 and 1; give 0/1 or booleans")
        array = positive
    count = int(np.count_nonzero(array))
    if count in (0, array.size):
        raise ValueError(f"all {array.size} labels are {int(count > 0)}; give rows of both classes")
    return array


def class_labels(y: ArrayLike, classes: int) -> Ints:
    """Labels as int64 (n,) in 0 .. classes - 1."""
    array = np.asarray(y)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"the labels have shape {array.shape}; give one class number per row, shape (n,)")
    whole = floats(array, "the label column")
    if not np.array_equal(whole, np.floor(whole)) or whole.min() < 0:
        raise ValueError("the labels hold values other than whole class numbers; give 0 to classes - 1")
    if whole.max() >= classes:
        raise ValueError(
            f"the labels reach class {int(whole.max())} where the model predicts 0 to {classes - 1}; "
            "give rows of classes the model was trained on"
        )
    return whole.astype(np.int64)


def weights(values: ArrayLike | None, length: int) -> Floats | None:
    """Row weights as float64 (n,), or None; none negative, not all zero."""
    if values is None:
        return None
    array = floats(values, "the weight column", length=length)
    if (low := float(array.min())) < 0:
        raise ValueError(f"the weight column has negative values ({low:.6g}); give 0 or more")
    if not array.any():
        raise ValueError("the weight column is all zero; give at least one row a weight above 0")
    return array


def group_codes(groups: ArrayLike, length: int) -> tuple[Ints, int]:
    """Cluster of every row as codes 0 .. k - 1, and k; at least two clusters."""
    array = np.asarray(groups)
    if array.ndim != 1:
        raise ValueError(f"the group column has shape {array.shape}; give one group per row, shape (n,)")
    _same_length(array, "the group column", length)
    names, codes = np.unique(array, return_inverse=True)
    if len(names) < 2:
        raise ValueError("the group column names one group only; give rows of at least two groups")
    return codes.astype(np.int64), len(names)


def interval_level(level: float) -> float:
    """A confidence level strictly between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"the confidence level is {level:g}; give one between 0 and 1, such as 0.90")
    return float(level)

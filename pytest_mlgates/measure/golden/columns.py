"""What a column of a frame is: its kind, nulls, range and vocabulary, as a contract speaks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.contract import Column, Contract, Kind, Value

if TYPE_CHECKING:
    import pandas as pd

#: Whole numbers with more values than this are amounts and get a range; with fewer they are codes.
MOST_CODES = 30
#: Text with more values than this is free text and gets no vocabulary.
MOST_WORDS = 200
#: A later version of the set may have more nulls by chance: the exact upper bound at this level is allowed.
_LEVEL = 0.99
_INFERRED: dict[str, Kind] = {"string": "text", "boolean": "boolean", "integer": "integer", "floating": "number"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A column as it is: `nulls` of `rows` are missing; `counts` holds how often each value occurs, None where
    there are too many to be a vocabulary.
    """

    kind: Kind
    rows: int
    nulls: int
    low: float | None = None
    high: float | None = None
    counts: dict[Value, int] | None = None


def seen(column: pd.Series[Any]) -> Seen:
    """What `column` (rows,) holds. A float column of whole numbers is of kind integer: nulls make pandas do that."""
    values = column.dropna()
    kind = _kind(values)
    rows, nulls = len(column), len(column) - len(values)
    if kind in ("integer", "number"):
        numbers = values.astype(float)
        low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (None, None)
        counts = _counts(values.astype(int), MOST_CODES) if kind == "integer" else None
        return Seen(kind, rows, nulls, low, high, counts)
    counts = _counts(values, MOST_WORDS) if kind in ("text", "boolean") else None
    return Seen(kind, rows, nulls, counts=counts)


def frozen(rows: pd.DataFrame, labels: tuple[Any, ...], md5: str) -> Contract:
    """The contract that `rows` (what the models receive) keeps. Codes and words get a vocabulary, amounts a range."""
    columns = {str(name): _promise(seen(rows[name])) for name in rows.columns}
    return Contract(version=1, golden=md5, label=labels or None, columns=columns)


def _promise(column: Seen) -> Column:
    from pytest_mlgates.stats.proportions import clopper_pearson

    nulls = 0.0
    if column.nulls:
        nulls = round(clopper_pearson(column.nulls, column.rows, _LEVEL, side="upper")[1] + 5e-4, 3)
    if column.counts is not None:
        return Column(kind=column.kind, nulls=min(1.0, nulls), values=tuple(column.counts))
    return Column(kind=column.kind, nulls=min(1.0, nulls), low=column.low, high=column.high)


def _kind(values: pd.Series[Any]) -> Kind:
    import pandas as pd
    from pandas.api import types

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.dtype.categories.dtype)
    dtype = values.dtype
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        return "integer" if len(values) and _whole(values) else "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    return _INFERRED.get(types.infer_dtype(values, skipna=True), "other")


def _whole(values: pd.Series[Any]) -> bool:
    """Whole numbers that fit an int64 (infinity does not)."""
    return bool(((values == values.round()) & (values.abs() < 2**63)).all())


def _counts(values: pd.Series[Any], most: int) -> dict[Value, int] | None:
    found = values.value_counts()
    found = found[found > 0]
    if len(found) > most:
        return None
    return {value: int(count) for value, count in sorted(zip(found.index.tolist(), found.tolist(), strict=True))}

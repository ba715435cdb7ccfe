"""Which rows belong to which slice: values of columns, bins, intersections, and the user's own predicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.policy import Slices
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

#: A column with more values than this is no list of categories; it needs bins.
MOST_VALUES = 50


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """`rows` (n,) bool; `origin` is "column", "bins", "crossed", "where" or "found"."""

    name: str
    rows: NDArray[np.bool_]
    origin: str


def declared_slices(golden: GoldenSet, policy: Slices) -> list[Slice]:
    """The slices that the policy names; where it names none, every group of the sensitive columns.

    They may overlap. Raises CouldNotEvaluate for an unknown column, a column with too many values, a predicate
    that is no predicate, a slice without rows, and a required slice that does not exist.
    """
    frame = sliceable(golden)
    columns = policy.columns
    if not (policy.columns or policy.bins or policy.crossed or policy.where):
        columns = tuple(map(str, golden.sensitive.columns))
    slices = [part for name in columns for part in _parts(frame, name, {})]
    slices += [part for name in policy.bins for part in _parts(frame, name, policy.bins)]
    slices += [part for names in policy.crossed for part in _crossed(frame, names, policy.bins)]
    slices += [_chosen(frame, name, predicate) for name, predicate in policy.where.items()]
    known = [part.name for part in slices]
    for name in policy.required:
        if name not in known:
            raise CouldNotEvaluate(f"the required slice {name!r} does not exist: {did_you_mean(name, known)}")
    return slices


def sliceable(golden: GoldenSet) -> pd.DataFrame:
    """The columns that slices can be made of: what the models receive, and the sensitive ones."""
    more = [column for column in golden.sensitive.columns if column not in golden.X.columns]
    return golden.X.join(golden.sensitive[more]) if more else golden.X


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame.columns:
        meant = did_you_mean(name, map(str, frame.columns))
        raise CouldNotEvaluate(
            f"slices name a column {name!r} that neither the models receive nor `sensitive`: {meant}"
        )
    return frame[name]


def _parts(frame: pd.DataFrame, name: str, bins: Mapping[str, Sequence[float]]) -> list[Slice]:
    """The column's slices, which together hold every row once."""
    column = _column(frame, name)
    missing = column.isna().to_numpy()
    parts = _binned(column, name, bins[name]) if name in bins else _valued(column, name)
    return parts + (
        [Slice(f"{name} missing", missing, parts[0].origin if parts else "column")] if missing.any() else []
    )


def _valued(column: pd.Series[Any], name: str) -> list[Slice]:
    values = column.dropna().unique().tolist()
    if len(values) > MOST_VALUES:
        raise CouldNotEvaluate(
            f"slices: column {name!r} has {len(values)} values; give edges instead: bins = {{{name} = [...]}}"
        )
    ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
    return [Slice(f"{name}={_word(value)}", (column == value).to_numpy(bool), "column") for value in ordered]


def _binned(column: pd.Series[Any], name: str, edges: Sequence[float]) -> list[Slice]:
    import numpy as np

    if column.dtype.kind not in "iuf":
        raise CouldNotEvaluate(f"slices: bins need numbers, and column {name!r} holds {column.dtype}")
    ends = [-np.inf, *edges, np.inf]
    made = []
    for low, high in pairwise(ends):
        words = f"{name}<{high:g}" if low == -np.inf else f"{name}>={low:g}"
        words = words if np.inf in (-low, high) else f"{low:g}<={name}<{high:g}"
        made.append(_with_rows(words, ((column >= low) & (column < high)).to_numpy(bool), "bins"))
    return made


def _crossed(frame: pd.DataFrame, names: Sequence[str], bins: Mapping[str, Sequence[float]]) -> list[Slice]:
    """Every combination that occurs; one that does not occur is no slice."""
    import numpy as np

    made = []
    for parts in product(*(_parts(frame, name, bins) for name in names)):
        rows = np.logical_and.reduce([part.rows for part in parts])
        if rows.any():
            made.append(Slice(" & ".join(part.name for part in parts), rows, "crossed"))
    return made


def _chosen(frame: pd.DataFrame, name: str, predicate: str) -> Slice:
    import numpy as np

    try:
        found = np.asarray(frame.eval(predicate, engine="python"))
    except Exception as problem:  # noqa: BLE001 - pandas raises many kinds for one trouble: not a predicate
        why = f"{type(problem).__name__}: {problem}"
        raise CouldNotEvaluate(f"slice {name!r}: {predicate!r} cannot be evaluated on the golden set ({why})") from None
    if found.dtype.kind != "b" or found.shape != (len(frame),):
        raise CouldNotEvaluate(f"slice {name!r}: {predicate!r} says no yes or no a row; write e.g. 'age < 30'")
    return _with_rows(name, found, "where")


def _with_rows(name: str, rows: NDArray[np.bool_], origin: str) -> Slice:
    if not rows.any():
        raise CouldNotEvaluate(f"slice {name!r} is empty: no row of the golden set belongs to it")
    return Slice(name, rows, origin)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

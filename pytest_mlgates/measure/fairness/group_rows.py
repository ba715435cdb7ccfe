"""Which rows belong to which group: values of the sensitive columns, intersections, pooled small groups.

Every row belongs to exactly one group of a grouping. A missing value is a group of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: A column with more values than this is no list of groups.
MOST_GROUPS = 50
MISSING = "(missing)"
#: Whole numbers that span less are counted instead of hashed.
_SPAN = 100_000
_AND = " & "


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """`codes` (n,) are places in `names`, the groups'; `columns` are one, or those of an intersection."""

    columns: tuple[str, ...]
    names: tuple[str, ...]
    codes: NDArray[Any]

    @property
    def name(self) -> str:
        return _AND.join(self.columns)

    def sizes(self) -> list[int]:
        import numpy as np

        return [int(size) for size in np.bincount(self.codes, minlength=len(self.names))]


def groupings(sensitive: pd.DataFrame, crossed: Sequence[Sequence[str]] = ()) -> list[Grouping]:
    """One grouping a column of `sensitive` (n, columns), then one an intersection.

    Raises CouldNotEvaluate when there is no column, when an intersection names one that is not sensitive, and when a
    column has too many values to be groups.
    """
    columns = [str(column) for column in sensitive.columns]
    if not columns:
        raise CouldNotEvaluate(
            'fairness compares groups, and the settings name no column of them: write sensitive = ["sex"], say'
        )
    single = {name: _by_value(sensitive.iloc[:, place], name) for place, name in enumerate(columns)}
    found = list(single.values())
    for names in crossed:
        for name in names:
            if name not in single:
                raise CouldNotEvaluate(
                    f"[tool.mlgates.fairness] crossed names a column {name!r} that is not sensitive: "
                    f"{did_you_mean(name, columns)}"
                )
        found.append(reduce(_cross, [single[name] for name in names]))
    return found


def pooled(grouping: Grouping, below: int, keep: str = "") -> Grouping:
    """Groups with fewer than `below` rows made one, "pooled: a, b"; `keep` is never pooled. One small group stays."""
    import numpy as np

    sizes = grouping.sizes()
    small = [place for place, size in enumerate(sizes) if size < below and grouping.names[place] != keep]
    if len(small) < 2:
        return grouping
    large = [place for place in range(len(sizes)) if place not in small]
    renumbered = np.full(len(sizes), len(large))
    renumbered[large] = np.arange(len(large))
    pool = "pooled: " + ", ".join(grouping.names[place] for place in small)
    names = (*(grouping.names[place] for place in large), pool)
    return Grouping(grouping.columns, names, renumbered[grouping.codes])


def shares(grouping: Grouping, weight: NDArray[Any] | None) -> dict[str, float]:
    """Each group's share of the rows, or of their weight."""
    import numpy as np

    parts = np.bincount(grouping.codes, weights=weight, minlength=len(grouping.names))
    return dict(zip(grouping.names, (parts / parts.sum()).tolist(), strict=True))


def share_gap(found: Mapping[str, float], declared: Mapping[str, float]) -> tuple[float, str]:
    """(the share of rows that would have to change group, the group that is furthest off): total variation."""
    every = [*found, *(name for name in declared if name not in found)]
    off = {name: abs(found.get(name, 0.0) - declared.get(name, 0.0)) for name in every}
    return sum(off.values()) / 2, max(off, key=lambda name: off[name])


def _by_value(column: pd.Series[Any], name: str) -> Grouping:
    import numpy as np

    codes, values = _coded(column)
    if len(values) > MOST_GROUPS:
        raise CouldNotEvaluate(
            f"the sensitive column {name!r} has {len(values):,} values, more than {MOST_GROUPS} groups: "
            "add a column of groups (bands of age, say) and name that one"
        )
    words = [_word(value) for value in values]
    twice = {word for word in words if words.count(word) > 1}
    if twice:
        raise CouldNotEvaluate(
            f"the sensitive column {name!r} has {min(twice)} both as text and as a number: write one of them"
        )
    if (codes < 0).any():
        words.append(MISSING)
        codes = np.where(codes < 0, len(words) - 1, codes)
    order = sorted(range(len(words)), key=lambda place: (words[place] == MISSING, _sortable(words[place])))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    if not np.array_equal(rank, np.arange(len(rank))):
        codes = rank[codes]
    return Grouping((name,), tuple(words[place] for place in order), codes)


def _coded(column: pd.Series[Any]) -> tuple[NDArray[Any], list[Any]]:
    """(place of each row's value, -1 where it is missing; the values that occur). Codes need no hashing."""
    import numpy as np
    import pandas as pd

    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else None
    if values is not None and values.dtype.kind in "iu" and values.dtype != np.uint64 and len(values):
        low = values.min()
        if int(values.max()) - int(low) < _SPAN:
            shifted = np.subtract(values, low, dtype=np.int64) if low else values.astype(np.int64, copy=False)
            seen = np.flatnonzero(np.bincount(shifted))
            found = (seen + int(low)).tolist()
            return (shifted if len(seen) == seen[-1] + 1 else np.searchsorted(seen, shifted)), found
    codes, values = pd.factorize(column)
    return codes, values.tolist()


def _cross(one: Grouping, other: Grouping) -> Grouping:
    """Every combination that occurs."""
    import numpy as np

    pairs, codes = np.unique(one.codes * len(other.names) + other.codes, return_inverse=True)
    names = [one.names[pair // len(other.names)] + _AND + other.names[pair % len(other.names)] for pair in pairs]
    return Grouping(one.columns + other.columns, tuple(names), codes)


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sortable(word: str) -> tuple[float, str]:
    """Numbers by size, then words."""
    try:
        return float(word), ""
    except ValueError:
        return float("inf"), word

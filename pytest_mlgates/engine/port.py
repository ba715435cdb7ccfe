"""What every engine answers about a table, in counts small enough to hold: one column at a time, as often as asked.

Whoever asks decides; the engines only count. tests/unit/skew holds all of them to the same answers on the same files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_mlgates.errors import CouldNotEvaluate

if TYPE_CHECKING:
    import pandas as pd

    from pytest_mlgates.stats.checks import Floats, Ints
    from pytest_mlgates.stats.histogram import AnyGrid, Tally, Values

Kind = Literal["boolean", "integer", "number", "text", "date", "vector", "null", "other"]
Word = bool | int | float | str

#: How many distinct values of a column are counted one by one; beyond, the rarest are let go.
MOST_WORDS = 131_072


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`zone` of a date ("" for none), `size` of a vector (0 where the type does not say)."""

    kind: Kind
    zone: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """How often values occur. `others` are the present rows that `counts` has no entry for.

    `distinct` is exact while the values fit, else an estimate. `unique`: nearly every row has a value of its own, so
    counting was given up.
    """

    counts: Mapping[Word, int] = field(default_factory=dict)
    others: int = 0
    nulls: int = 0
    distinct: int = 0
    unique: bool = False

    @property
    def present(self) -> int:
        return sum(self.counts.values()) + self.others

    @property
    def rows(self) -> int:
        return self.present + self.nulls


@dataclass(frozen=True, slots=True)
class Vectors:
    """A column of vectors: `rows` of them, their mean (d,), the sum of their coordinates' variances, and the images
    (kept, k) of rows spread over the table.
    """

    rows: int
    nulls: int
    mean: Floats
    spread: float
    images: Floats


class Column(Protocol):
    """One column; numbers come as float64. Everything raises CouldNotEvaluate when the table cannot be read."""

    def hint(self) -> Floats:
        """Some of its finite values (k,), spread over the table; how many and which is the engine's choice."""

    def grid(self) -> AnyGrid:
        """A grid that suits it; of whole numbers one cell each, where they are not too many."""

    def numbers(self, grid: AnyGrid) -> Tally:
        """The column counted over `grid`."""

    def values(self, grid: AnyGrid, cells: Ints) -> Values:
        """The values in `cells` of `grid`. Raises CouldNotEvaluate when there are more than can be held."""

    def words(self, most: int = MOST_WORDS, keep: Collection[Word] = ()) -> Words:
        """Its most frequent values, and `keep` however rare."""

    def nulls(self) -> int:
        """Rows without a value; NaN is none."""

    def distinct(self) -> int:
        """How many different values there are, within a percent or two."""

    def size(self) -> int:
        """The length of the first vector of a column of vectors; 0 without any."""

    def vectors(self, directions: Floats) -> Vectors:
        """A column of vectors, with images under `directions` (d, k)."""


class Table(Protocol):
    """`name` is for sentences; `rows` is how many there are."""

    @property
    def name(self) -> str: ...

    @property
    def rows(self) -> int: ...

    def types(self) -> Mapping[str, ColumnType]:
        """The columns in their order."""

    def column(self, name: str) -> AbstractContextManager[Column]:
        """One column, open as long as it is needed. Different threads may hold different columns."""

    def records(self, columns: Sequence[str], most: int) -> pd.DataFrame:
        """At most `most` rows, spread over the table."""


def too_many(column: str, table: str) -> CouldNotEvaluate:
    """The error for a column whose values crowd so that no grid tells them apart."""
    return CouldNotEvaluate(
        f"column {column!r} of {table} has millions of different values in a hair's breadth of its range: "
        "leave it out with [tool.mlgates.skew] ignore, or give the model its logarithm"
    )

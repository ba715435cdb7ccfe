"""A table that another engine counts: DuckDB, Spark, or any database that ibis knows. Only counts are fetched."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pytest_mlgates.engine.kinds import column_type
from pytest_mlgates.engine.port import MOST_WORDS, Column, ColumnType, Vectors, Word, Words, too_many

if TYPE_CHECKING:
    import pandas as pd

    from pytest_mlgates.stats.checks import Floats, Ints
    from pytest_mlgates.stats.histogram import AnyGrid, Tally, Values

T = TypeVar("T")
#: Values that a grid is laid by, and distinct values that are fetched at most.
_HINT, _HELD = 16_384, 4_194_304
_UNIQUE = 0.95
#: About so many vectors are fetched of a table with more than four times as many.
_VECTORS = 50_000
#: Shares of the hint between which the cells lie.
_BETWEEN = (0.0005, 0.9995)


class Ask(Protocol):
    def __call__(self, question: Callable[[], T], doing: str) -> T: ...


class IbisTable:
    """`table` is an ibis table; `ask` runs what is asked of it."""

    def __init__(self, table: Any, name: str, ask: Ask) -> None:
        self._table, self.name, self._ask = table, name, ask
        schema = ask(lambda: table.schema().to_pyarrow(), "reading its columns")
        self._types = {field.name: column_type(field.type) for field in schema}
        self.rows: int = int(ask(lambda: table.count().to_pyarrow().as_py(), "counting its rows"))

    def types(self) -> Mapping[str, ColumnType]:
        return self._types

    @contextlib.contextmanager
    def column(self, name: str) -> Iterator[Column]:
        yield IbisColumn(self._table, name, self._types[name], self.rows, self.name, self._ask)

    def records(self, columns: Sequence[str], most: int) -> pd.DataFrame:
        table = self._table.select(*columns)
        some = _sampled(table, most, self.rows)
        frame: pd.DataFrame = self._ask(lambda: some.limit(most).to_pyarrow().to_pandas(), "reading rows of it")
        return frame


class IbisColumn:
    """One column `x` of it; NaN is no value."""

    def __init__(self, table: Any, name: str, type_: ColumnType, rows: int, where: str, ask: Ask) -> None:
        self._type, self._rows, self._ask, self._doing = type_, rows, ask, f"counting column {name!r}"
        self._name, self._where = name, where
        column = table.select(x=table[name])
        floating = type_.kind == "number" and column.x.type().is_floating()
        self._column = column
        self._present = column.filter(_is_number(column.x) if floating else column.x.notnull())
        self._hint: Floats | None = None

    def hint(self) -> Floats:
        import numpy as np

        if self._hint is None:
            some = _sampled(self._numbers(), _HINT, self._rows).limit(_HINT)
            found = np.asarray(self._fetched(some)["x"].to_numpy(), dtype=np.float64)
            if self._type.kind == "integer":
                ends = self._fetched(self._numbers().aggregate(low=_x().min(), high=_x().max()))
                found = np.append(found, [end[0].as_py() for end in (ends["low"], ends["high"]) if end[0].is_valid])
            self._hint = found[np.isfinite(found)]
        return self._hint

    def grid(self) -> AnyGrid:
        import numpy as np

        from pytest_mlgates.stats.histogram import Grid, lay_evenly, lay_whole

        hint = self.hint()
        if not len(hint):
            return Grid(0.0, 1.0)
        whole = lay_whole(hint.min(), hint.max()) if self._type.kind in ("integer", "boolean") else None
        low, high = np.quantile(hint, _BETWEEN)
        return whole or lay_evenly(float(low), float(high))

    def numbers(self, grid: AnyGrid) -> Tally:
        from pytest_mlgates.stats.histogram import Tally

        tally = Tally(grid)
        cells = self._fetched(self._placed(grid).group_by("cell").aggregate(rows=_this().count()))
        tally.counts[cells["cell"].to_numpy()] = cells["rows"].to_numpy()
        tally.nulls = self._rows - tally.present
        finite = self._numbers().filter(_is_finite(_x()))
        said = self._fetched(
            finite.aggregate(
                rows=_this().count(), low=_x().min(), high=_x().max(), mean=_x().mean(), var=_x().var(how="pop")
            )
        ).to_pylist()[0]
        tally.infinite = tally.present - said["rows"]
        if said["rows"]:
            tally.take(said["rows"], said["low"], said["high"], said["mean"], said["var"] * said["rows"])
        return tally

    def values(self, grid: AnyGrid, cells: Ints) -> Values:
        import numpy as np

        from pytest_mlgates.stats.histogram import Values, none

        if not len(cells):
            return none()
        placed = self._placed(grid)
        wanted = placed.filter(placed.cell.isin(cells.tolist()))
        found = self._fetched(wanted.group_by("x").aggregate(rows=_this().count()).limit(_HELD + 1))
        if len(found) > _HELD:
            raise too_many(self._name, self._where)
        values, rows = np.asarray(found["x"].to_numpy(), dtype=np.float64), found["rows"].to_numpy()
        order = np.argsort(values)
        return Values(values[order], rows[order].astype(np.int64))

    def words(self, most: int = MOST_WORDS, keep: Collection[Word] = ()) -> Words:
        import ibis

        each = self._present.group_by("x").aggregate(rows=_this().count())
        found = self._fetched(each.order_by(ibis.desc("rows"), "x").limit(most + 1))
        counts = dict(zip(found["x"].to_pylist(), found["rows"].to_pylist(), strict=True))
        present = self._rows - self.nulls()
        distinct = len(counts)
        if distinct > most:
            distinct = self.distinct()
            unique = distinct > _UNIQUE * present
            counts = {} if unique else dict(list(counts.items())[:most])
            rare = [word for word in keep if word not in counts]
            if rare and not unique:
                more = self._fetched(each.filter(each.x.isin(rare)))
                counts |= dict(zip(more["x"].to_pylist(), more["rows"].to_pylist(), strict=True))
        others = present - sum(counts.values())
        return Words(counts, others, self._rows - present, distinct, distinct > _UNIQUE * present)

    def nulls(self) -> int:
        return self._rows - int(self._fetched(self._present.aggregate(rows=_this().count()))["rows"][0].as_py())

    def distinct(self) -> int:
        return int(self._fetched(self._present.aggregate(n=_x().nunique()))["n"][0].as_py())

    def size(self) -> int:
        first = self._fetched(self._present.limit(1))["x"].to_pylist()
        return len(first[0]) if first else 0

    def vectors(self, directions: Floats) -> Vectors:
        from pytest_mlgates.engine.vectors import summed

        # Vectors cannot be counted in place: all of a small table are fetched, of a large one some.
        found = self._fetched(_sampled(self._column, _VECTORS, self._rows))["x"]
        return summed(found.chunks, self._name, self._where, len(found), directions)

    def _numbers(self) -> Any:
        return self._present.mutate(x=self._present.x.cast("float64"))

    def _placed(self, grid: AnyGrid) -> Any:
        """The present numbers with their cells; the same arithmetic as `Grid.place`."""
        from pytest_mlgates.stats.histogram import Grid

        if not isinstance(grid, Grid):
            raise TypeError(f"a database counts over equal cells only, not over {type(grid).__name__}")
        numbers = self._numbers()
        at = ((numbers.x - grid.low) * grid.scale).clip(-1.0, float(grid.cells)) + 1.0
        return numbers.mutate(cell=at.floor().cast("int64"))

    def _fetched(self, expression: Any) -> Any:
        return self._ask(expression.to_pyarrow, self._doing)


def _this() -> Any:
    from ibis import _

    return _


def _x() -> Any:
    return _this().x


def _is_number(x: Any) -> Any:
    """Not NaN. DuckDB folds `isnan` and comparisons by the Parquet file's statistics, which do not count NaN
    (duckdb/duckdb#25521); arithmetic is not folded.
    """
    return _is_finite(x) | (x.abs() == math.inf)


def _is_finite(x: Any) -> Any:
    return x * 0.0 == 0.0


def _sampled(table: Any, most: int, rows: int) -> Any:
    """About `most` rows spread over the table, where it has many more."""
    return table if rows <= 4 * most else table.sample(2 * most / rows, method="row", seed=None)

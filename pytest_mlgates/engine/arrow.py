"""A table streamed by Arrow: one column at a time, each read as often as needed, none held whole unless it is small."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.engine.counting import WordCount
from pytest_mlgates.engine.kinds import column_type
from pytest_mlgates.engine.parts import Parts
from pytest_mlgates.engine.port import MOST_WORDS, Column, ColumnType, Kind, Vectors, Word, Words, too_many

if TYPE_CHECKING:
    import pandas as pd

    from pytest_mlgates.stats.checks import Floats, Ints
    from pytest_mlgates.stats.histogram import AnyGrid, Tally, Values

#: A column of at most this many rows stays decoded while it is open, which spares reading it twice.
KEPT_ROWS = 1_500_000
#: Values that a grid is laid by.
HINT = 16_384
#: Distinct values of chosen cells that are held, and rows of them that wait to be sorted.
_HELD, _WAITING = 4_194_304, 1_048_576
_NUMERIC: tuple[Kind, ...] = ("integer", "number", "boolean")


class ArrowTable:
    """A table whose pieces `parts` reads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._types = {field.name: column_type(field.type) for field in parts.schema}

    @property
    def name(self) -> str:
        return self._parts.name

    @property
    def rows(self) -> int:
        return self._parts.rows

    def types(self) -> Mapping[str, ColumnType]:
        return self._types

    @contextlib.contextmanager
    def column(self, name: str) -> Iterator[Column]:
        yield ArrowColumn(self._parts, name, self._types[name])

    def records(self, columns: Sequence[str], most: int) -> pd.DataFrame:
        frame: pd.DataFrame = self._parts.records(list(columns), most).to_pandas()
        return frame


class ArrowColumn:
    """One column; a short one is kept after it was read once."""

    def __init__(self, parts: Parts, name: str, type_: ColumnType) -> None:
        self._parts, self._name, self._type = parts, name, type_
        self._keeps = parts.rows <= KEPT_ROWS
        self._kept: list[tuple[Floats, int]] | None = None
        self._hint: Floats | None = None
        self._places: tuple[AnyGrid | None, list[Any]] = (None, [])

    def hint(self) -> Floats:
        if self._hint is None:
            self._hint = self._some()
        return self._hint

    def _some(self) -> Floats:
        import numpy as np

        if self._keeps:
            step = max(1, self._parts.rows // HINT)
            some = [values[::step] for values, _ in self._numbers()]
        else:
            parts = [_floats(array, self._type.kind)[0] for array in self._parts.some(self._name)]
            some = [values[:: max(1, len(values) * len(parts) // HINT)] for values in parts]
        if self._type.kind == "integer" and (ends := self._parts.extent(self._name)):
            some.append(np.array(ends))
        found = np.concatenate(some) if some else np.empty(0)
        return found[np.isfinite(found)]

    def grid(self) -> AnyGrid:
        from pytest_mlgates.stats.histogram import lay, lay_whole

        hint = self.hint()
        whole = lay_whole(hint.min(), hint.max()) if self._type.kind in ("integer", "boolean") and len(hint) else None
        return whole or lay(hint)

    def numbers(self, grid: AnyGrid) -> Tally:
        from pytest_mlgates.stats.histogram import Tally

        tally = Tally(grid)
        places: list[Any] = []
        for values, nulls in self._numbers():
            cells = grid.placed(values)
            if self._keeps:
                places.append(cells.astype("uint16"))
            tally.count(cells, values, nulls)
        self._places = (grid, places)
        return tally

    def values(self, grid: AnyGrid, cells: Ints) -> Values:
        import numpy as np

        from pytest_mlgates.stats.histogram import Values, merged

        wanted = np.zeros(grid.cells + 2, dtype=bool)
        wanted[cells] = True
        lots: list[Values] = []
        waiting: list[Floats] = []
        rows = 0

        def sort() -> None:
            values, counts = np.unique(np.concatenate(waiting), return_counts=True)
            waiting.clear()
            lots[:] = [merged([*lots, Values(values, counts)])]
            if len(lots[0].values) > _HELD:
                raise too_many(self._name, self._parts.name)

        for values, cells_ in self._placed(grid):
            taken = values[wanted.take(cells_)]
            waiting.append(taken)
            rows += len(taken)
            if rows > _WAITING:
                sort()
                rows = 0
        if waiting:
            sort()
        return merged(lots)

    def words(self, most: int = MOST_WORDS, keep: Collection[Word] = ()) -> Words:
        count = WordCount(most, keep)
        for array in self._parts.pieces(self._name):
            if not count.add(array):
                break
        return count.result(self._parts.rows)

    def nulls(self) -> int:
        import pyarrow.compute as pc

        found = 0
        for array in self._parts.pieces(self._name):
            found += array.null_count
            if self._type.kind == "number":
                found += pc.sum(pc.is_nan(array)).as_py() or 0
        return found

    def distinct(self) -> int:

        from pytest_mlgates.stats.distinct import Distinct, hashed

        if self._type.kind not in _NUMERIC:
            return self.words().distinct
        seen = Distinct()
        for values, _ in self._numbers():
            seen.add(hashed(values))
        return seen.estimate()

    def size(self) -> int:
        for array in self._parts.pieces(self._name):
            present = array.drop_null()
            if len(present):
                return len(present[0])
        return 0

    def vectors(self, directions: Floats) -> Vectors:
        from pytest_mlgates.engine.vectors import summed

        return summed(self._parts.pieces(self._name), self._name, self._parts.name, self._parts.rows, directions)

    def _placed(self, grid: AnyGrid) -> Iterator[tuple[Floats, Any]]:
        """Present values and their cells."""
        if self._kept is not None and self._places[0] == grid:
            yield from ((values, places) for (values, _), places in zip(self._kept, self._places[1], strict=True))
        else:
            yield from ((values, grid.placed(values)) for values, _ in self._numbers())

    def _numbers(self) -> Iterator[tuple[Floats, int]]:
        """Present values and nulls of every piece."""
        if self._kept is not None:
            yield from self._kept
            return
        read = (_floats(array, self._type.kind) for array in self._parts.pieces(self._name))
        if self._keeps:
            self._kept = list(read)
            yield from self._kept
        else:
            yield from read


def _floats(array: Any, kind: Kind) -> tuple[Floats, int]:
    import numpy as np
    import pyarrow as pa

    nulls = array.null_count
    if nulls:
        array = array.drop_null()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if kind == "boolean" or pa.types.is_decimal(array.type) or pa.types.is_null(array.type):
        array = array.cast(pa.float64()) if len(array) or not nulls else pa.array([], pa.float64())
    values = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
    if kind == "number" and (missing := np.isnan(values)).any():
        values, nulls = values[~missing], nulls + int(missing.sum())
    return values, nulls

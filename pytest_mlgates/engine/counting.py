"""How often each value of a column occurs, in memory that does not grow with the number of values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pytest_mlgates.engine.port import Word, Words

#: Rows after which a column is looked at: does nearly every one have a value of its own?
_LOOK, _UNIQUE = 262_144, 0.95


class WordCount:
    """Counts pieces of one column. Beyond `most` values the rarest half is let go, but `keep` stays."""

    def __init__(self, most: int, keep: Collection[Word] = ()) -> None:
        import pyarrow as pa

        from pytest_mlgates.stats.distinct import Distinct

        self._most, self._keep = most, frozenset(keep)
        self._table: Any = None
        self._lots: list[Any] = []
        self._waiting = self._rows = self._nulls = self._gone = 0
        self._distinct = Distinct()
        self._unique = False
        self._type: pa.DataType | None = None

    def add(self, array: Any) -> bool:
        """Count a pyarrow array. False when it is no use to go on: every row has a value of its own."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._nulls += array.null_count
        if array.null_count:
            array = array.drop_null()
        if pa.types.is_floating(array.type):
            missing = pc.is_nan(array)
            self._nulls += pc.sum(missing).as_py() or 0
            array = array.filter(pc.invert(missing))
        self._rows += len(array)
        if len(array):
            found = pc.value_counts(array)
            values = found.field("values")
            values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
            self._lots.append(pa.table({"value": values, "rows": found.field("counts")}))
            self._waiting += len(values)
        first_look = self._table is None and self._rows > _LOOK and self._waiting > _LOOK // 2
        if first_look or self._waiting > 4 * self._most:
            self._merge()
        return not self._unique

    def result(self, rows: int) -> Words:
        """`rows` of the whole column."""
        self._merge()
        if self._unique:
            # Of a column that was not read to its end the nulls are not known; whoever leaves it out counts them.
            return Words({}, rows - self._nulls, self._nulls, rows, unique=True)
        if self._table is None:
            return Words(nulls=self._nulls)
        pairs = zip(self._table["value"].to_pylist(), self._table["rows"].to_pylist(), strict=True)
        counts = dict(sorted(pairs, key=lambda pair: (-pair[1], str(pair[0]))))
        distinct = self._distinct.estimate() if self._gone else len(counts)
        unique = distinct > _UNIQUE * self._rows
        return Words(counts, self._gone, self._nulls, distinct, unique)

    def _merge(self) -> None:
        import pyarrow as pa

        lots = ([self._table] if self._table is not None else []) + self._lots
        self._lots, self._waiting = [], 0
        if not lots:
            return
        whole = pa.concat_tables([lot.cast(lots[0].schema) for lot in lots])
        self._table = whole.group_by("value").aggregate([("rows", "sum")]).rename_columns(["value", "rows"])
        if self._gone == 0 and self._rows > _LOOK and self._table.num_rows > _UNIQUE * self._rows:
            self._unique = True
        elif self._table.num_rows > self._most:
            self._let_go()
        elif self._gone:
            self._distinct.add(_hashes(self._table["value"]))

    def _let_go(self) -> None:
        """The rarest values become a number."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = self._table.sort_by([("rows", "descending")])
        self._distinct.add(_hashes(table["value"]))
        kept = table.slice(0, self._most // 2)
        rest = table.slice(self._most // 2)
        if self._keep:
            known = pa.array(list(self._keep), type=table.schema.field("value").type)
            among = pc.is_in(rest["value"], value_set=known)
            kept = pa.concat_tables([kept, rest.filter(among)])
            rest = rest.filter(pc.invert(among))
        self._gone += pc.sum(rest["rows"]).as_py() or 0
        self._table = kept.combine_chunks()


def _hashes(values: Any) -> Any:
    """64-bit hashes of a pyarrow column."""
    import numpy as np
    import pandas as pd

    flat = np.asarray(values.to_numpy(zero_copy_only=False))
    return pd.util.hash_array(flat if flat.dtype.kind in "iufb" else flat.astype(object), categorize=False)

"""Where Arrow's pieces of a column come from: Parquet files, or a table in memory. Never more than a piece is held."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pytest_mlgates.errors import CouldNotEvaluate

#: Rows a piece: small enough for the processor's cache to matter, large enough for Python not to.
PIECE = 131_072
#: Bytes of a column's pages that are read ahead; a mapped file would count as memory.
_BUFFER = 1_048_576


class Parts(Protocol):
    """`extent(column)` is (low, high) where the files say so, for whole numbers."""

    name: str
    rows: int
    schema: Any

    def pieces(self, column: str) -> Iterator[Any]:
        """The column's pyarrow arrays in order."""

    def some(self, column: str) -> Iterator[Any]:
        """A few pieces, spread over the table."""

    def extent(self, column: str) -> tuple[float, float] | None: ...

    def records(self, columns: list[str], most: int) -> Any:
        """A pyarrow table of rows spread over the whole."""


class MemoryParts:
    """A pyarrow.Table."""

    def __init__(self, table: Any, name: str) -> None:
        self.name, self.rows, self.schema = name, table.num_rows, table.schema
        self._table = table

    def pieces(self, column: str) -> Iterator[Any]:
        for chunk in self._table.column(column).chunks:
            for start in range(0, len(chunk), PIECE):
                yield chunk.slice(start, PIECE)

    def some(self, column: str) -> Iterator[Any]:
        yield self._table.column(column).take(_spread(self.rows, PIECE)).combine_chunks()

    def extent(self, column: str) -> tuple[float, float] | None:
        return None

    def records(self, columns: list[str], most: int) -> Any:
        return self._table.select(columns).take(_spread(self.rows, most))


class ParquetParts:
    """Parquet files of one schema, read a row group's column at a time; `keep` lives as long as they are needed."""

    def __init__(self, files: list[Path], name: str, keep: object = None) -> None:
        import pyarrow.parquet as pq

        self.name, self._files, self._keep = name, files, keep
        self._footers = [_footer(file) for file in files]
        self.rows = sum(footer.num_rows for footer in self._footers)
        self.schema = pq.ParquetFile(files[0], metadata=self._footers[0]).schema_arrow
        for file, footer in zip(files[1:], self._footers[1:], strict=True):
            _same(self.schema, pq.ParquetFile(file, metadata=footer).schema_arrow, files[0], file)
        self._text = [field.name for field in self.schema if _is_text(field.type)]
        self._open = threading.local()

    def pieces(self, column: str) -> Iterator[Any]:
        for which in range(len(self._files)):
            yield from self._read(which, column, None)

    def some(self, column: str) -> Iterator[Any]:
        places = [(w, g) for w, footer in enumerate(self._footers) for g in range(footer.num_row_groups)]
        for at in sorted({0, len(places) // 2, len(places) - 1} - {-1}):
            which, group = places[at] if places else (0, 0)
            yield from _first(self._read(which, column, [group])) if places else ()

    def extent(self, column: str) -> tuple[float, float] | None:
        lows, highs = [], []
        for footer in self._footers:
            at = _leaf(footer, column)
            for group in range(footer.num_row_groups) if at is not None else ():
                said = footer.row_group(group).column(at).statistics
                if said is None or not said.has_min_max or isinstance(said.min, (bytes, str)):
                    return None
                lows.append(said.min)
                highs.append(said.max)
        return (float(min(lows)), float(max(highs))) if lows else None

    def records(self, columns: list[str], most: int) -> Any:
        import pyarrow as pa

        groups = [(w, g, f.row_group(g).num_rows) for w, f in enumerate(self._footers) for g in range(f.num_row_groups)]
        step = max(1, len(groups) // 16)
        picked = groups[::step]
        share = -(-most // len(picked)) if picked else 0
        with self._speaking(self._files[0], ", ".join(columns[:3])):
            tables = [self._file(w).read_row_group(g, columns=columns).take(_spread(n, share)) for w, g, n in picked]
        return pa.concat_tables(tables).slice(0, most).combine_chunks()

    def _read(self, which: int, column: str, groups: list[int] | None) -> Iterator[Any]:
        with self._speaking(self._files[which], column):
            for batch in self._file(which).iter_batches(PIECE, groups, [column], use_threads=False):
                yield batch.column(0)

    def _file(self, which: int) -> Any:
        """A reader of this thread's own: they must not be shared."""
        import pyarrow.parquet as pq

        opened = self._open.__dict__.setdefault("files", {})
        if which not in opened:
            # Words come as codes, which are counted many times faster; a few open files are enough.
            while len(opened) >= 16:
                opened.pop(next(iter(opened))).close()
            opened[which] = pq.ParquetFile(
                self._files[which],
                metadata=self._footers[which],
                read_dictionary=self._text,
                pre_buffer=False,
                buffer_size=_BUFFER,
            )
        return opened[which]

    @contextlib.contextmanager
    def _speaking(self, file: Path, column: str) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as problem:
            first = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise CouldNotEvaluate(
                f"column {column!r} of {file} cannot be read, is the file whole? ({first})"
            ) from None


def _footer(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(file)
    except (pa.ArrowException, OSError) as problem:
        first = str(problem).splitlines()[0]
        raise CouldNotEvaluate(f"{file} is no whole Parquet file; write it again ({first})") from None


def _same(one: Any, other: Any, first: Path, file: Path) -> None:
    """Raises CouldNotEvaluate when two files of a folder cannot be one table."""
    mine: Mapping[str, Any] = {field.name: field.type for field in one}
    theirs = {field.name: field.type for field in other}
    for name in mine.keys() ^ theirs.keys():
        lacking, having = (file, first) if name in mine else (first, file)
        raise CouldNotEvaluate(f"{having} has a column {name!r} and {lacking} has not: give files of one schema")
    for name, type_ in mine.items():
        if theirs[name] != type_:
            raise CouldNotEvaluate(
                f"column {name!r} is {type_} in {first} and {theirs[name]} in {file}: give files of one schema"
            )


def _leaf(footer: Any, column: str) -> int | None:
    """The place of a plain column among the file's leaves."""
    schema = footer.schema
    for at in range(len(schema)):
        if schema.column(at).path == column:
            return at
    return None


def _is_text(type_: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(type_) or types.is_large_string(type_))


def _first(pieces: Iterator[Any]) -> Iterator[Any]:
    for piece in pieces:
        yield piece
        return


def _spread(rows: int, most: int) -> Any:
    import numpy as np

    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, most).astype(np.int64)

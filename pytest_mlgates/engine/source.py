"""Opens what the settings name as a table: Parquet files, a CSV file, or a database's URL."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pytest_mlgates.engine.parts import ParquetParts, Parts
from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import CouldNotEvaluate, UsageError

Engine = Literal["arrow", "duckdb", "spark"]
_PARQUET, _CSV = (".parquet", ".pq"), ".csv"


def open_table(
    where: str,
    base: Path,
    *,
    what: str,
    engine: Engine = "arrow",
    table: str = "",
    query: str = "",
    timeout: float = 600.0,
) -> Table:
    """The table at `where`: a path relative to `base`, or a URL with `table` or `query`; `what` names it in sentences.

    Raises UsageError when it is written wrongly, CouldNotEvaluate when it is not there or cannot be read.
    """
    if "://" in where:
        from pytest_mlgates.engine.database import connected

        if bool(table) == bool(query):
            raise UsageError(f"{what} is a database's URL: say which rows, with one of table and query")
        return connected(where, table, query, timeout)
    if table or query:
        raise UsageError(f"table and query are for a database's URL; {what} {where!r} is a path")
    path = base / where
    if path.suffix not in (*_PARQUET, _CSV) and not path.is_dir():
        raise UsageError(f"{what} {path} must be a .parquet or .csv file, a folder of Parquet files, or a URL")
    files = _files(path, what)
    if engine != "arrow":
        from pytest_mlgates.engine.database import of_files

        return of_files(engine, files, str(path), timeout)
    from pytest_mlgates.engine.arrow import ArrowTable

    if path.suffix == _CSV:
        return ArrowTable(_csv(path))
    return ArrowTable(ParquetParts(files, str(path)))


def written(url: str, place: str) -> str:
    """A URL as the settings have it: ``$NAME`` stands for a variable of the environment.

    Raises UsageError for a variable that is not set, and for a password, which no file should hold.
    """
    if url.startswith("$"):
        found = os.environ.get(url[1:])
        if not found:
            raise UsageError(f"{place} = {url!r}: the environment has no variable {url[1:]}")
        return found
    if urlsplit(url).password:
        raise UsageError(f'{place} holds a password: set the URL as a variable, and write {place} = "$LIVE_URL"')
    return url


def _files(path: Path, what: str) -> list[Path]:
    if path.is_dir():
        hidden = ("_", ".")
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in _PARQUET and not any(p.startswith(hidden) for p in file.relative_to(path).parts)
        )
        if not found:
            raise CouldNotEvaluate(f"{what} {path} is a folder without Parquet files")
        return found
    if not path.is_file():
        raise CouldNotEvaluate(f"{what} {path} does not exist")
    return [path]


def _csv(path: Path) -> Parts:
    """A CSV file as Parquet in a temporary folder, so that its columns can be read one by one."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    folder = tempfile.TemporaryDirectory(prefix="mlgates-")
    file = Path(folder.name) / "rows.parquet"
    try:
        options = csv.ConvertOptions(strings_can_be_null=True)
        with csv.open_csv(path, convert_options=options) as rows, pq.ParquetWriter(file, rows.schema) as out:
            for batch in rows:
                out.write_batch(batch)
    except (pa.ArrowException, OSError) as problem:
        folder.cleanup()
        first = str(problem).splitlines()[0]
        raise CouldNotEvaluate(f"{path} cannot be read as CSV: {first}") from None
    return ParquetParts([file], str(path), keep=folder)

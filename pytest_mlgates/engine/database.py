"""Opens tables through ibis: a database's URL, or Parquet and CSV files that DuckDB or Spark reads."""

from __future__ import annotations

import queue
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pytest_mlgates.engine.ibis_table import IbisTable
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError, UsageError

T = TypeVar("T")
_FILE_SCHEMES = ("duckdb", "sqlite")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")


def connected(url: str, table: str, query: str, timeout: float) -> IbisTable:
    """`table`, or the rows of `query`, of the database at `url`.

    Raises UsageError for a URL that no installed backend knows, CouldNotEvaluate when the database does not answer.
    """
    ibis = _ibis()
    name = without_secrets(url)
    asked = Asked(name, timeout)

    def opened() -> Any:
        database = _database(ibis, url)
        if query and database.name == "duckdb":
            # `sql` of ibis 12 asks the connection for what DuckDB 2 no longer has.
            database.raw_sql(f"create temporary view mlgates_sample as {query}")
        elif query:
            return database.sql(query)
        return database.table(table or "mlgates_sample")

    return IbisTable(asked(opened, "opening it"), f"{name} ({table or 'query'})", asked)


def of_files(engine: str, files: list[Path], name: str, timeout: float) -> IbisTable:
    """Parquet or CSV files as `engine` ("duckdb" or "spark") reads them."""
    ibis = _ibis()
    asked = Asked(name, timeout)
    csv = files[0].suffix == ".csv"

    def opened() -> Any:
        database = ibis.duckdb.connect() if engine == "duckdb" else ibis.pyspark.connect(_spark())
        read = database.read_csv if csv else database.read_parquet
        return read([str(file) for file in files] if len(files) > 1 else str(files[0]))

    return IbisTable(asked(opened, f"opening it with {engine}"), name, asked)


class Asked:
    """Asks a database on a thread of its own, with patience for `seconds`; some drivers stay on one thread."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._silent = False
        # A daemon: a database that never answers must not keep the session from ending.
        thread = threading.Thread(target=_serve, args=(self._questions,), daemon=True)
        thread.start()
        weakref.finalize(self, _end, self._questions, thread)

    def __call__(self, question: Callable[[], T], doing: str) -> T:
        """The answer. Raises CouldNotEvaluate when it does not come, or the database refuses."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        if not self._silent:
            self._questions.put((question, answer))
        try:
            found = answer.get(timeout=0.001 if self._silent else self._seconds)
        except queue.Empty:
            self._silent = True
            raise CouldNotEvaluate(f"{self._name} did not answer within {self._seconds:g} s while {doing}") from None
        if isinstance(found, MlgatesError):
            raise found
        if isinstance(found, BaseException):
            raise CouldNotEvaluate(f"{self._name} did not answer while {doing}: {_first_line(found)}") from None
        return found  # type: ignore[no-any-return]


def _serve(questions: queue.SimpleQueue[Any]) -> None:
    while (asked := questions.get()) is not None:
        question, answer = asked
        try:
            answer.put(question())
        except BaseException as problem:  # noqa: BLE001 - it is raised where the question was asked
            answer.put(problem)
        # What the last question held must not live until the next one comes.
        del asked, question, answer


def _end(questions: queue.SimpleQueue[Any], thread: threading.Thread) -> None:
    questions.put(None)
    thread.join(1)


def without_secrets(url: str) -> str:
    """Without user, password and query."""
    return _CREDENTIALS.sub("", url).partition("?")[0]


def _database(ibis: Any, url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme in _FILE_SCHEMES:
        file = Path(parts.netloc + parts.path)
        if not file.is_file():
            # Both would make an empty one.
            raise CouldNotEvaluate(f"there is no database {file}")
        if parts.scheme == "duckdb":
            return ibis.duckdb.connect(file, read_only=True)
    try:
        return ibis.connect(url)
    except (ValueError, AttributeError, ImportError) as problem:
        raise UsageError(
            f"{without_secrets(url)} cannot be opened ({_first_line(problem)}): install ibis with the backend, such as "
            f'pip install "ibis-framework[{parts.scheme}]"'
        ) from None


def _ibis() -> Any:
    try:
        import ibis
    except ImportError:
        raise UsageError('databases are read through ibis: pip install "pytest-mlgates[skew]"') from None
    return ibis


def _spark() -> Any:
    """The session that is there, or a new one as Spark's own configuration says (without one: this machine)."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError('engine = "spark" needs Spark: pip install "pytest-mlgates[spark]"') from None
    builder = SparkSession.builder.appName("mlgates").config("spark.ui.showConsoleProgress", "false")
    # Times in UTC, and counts that are few enough for one task a processor.
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "8")
    return builder.getOrCreate()


def _first_line(problem: BaseException) -> str:
    lines = _CREDENTIALS.sub("", str(problem)).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0][:300]}" if lines else type(problem).__name__

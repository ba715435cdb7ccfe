"""Makes a baseline of a table: every column described, several side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from pytest_mlgates.baseline.describe import described
from pytest_mlgates.baseline.document import Baseline, Column
from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import UsageError
from pytest_mlgates.validation import did_you_mean

T = TypeVar("T")


def make(
    table: Table,
    *,
    without: Collection[str] = (),
    importances: Mapping[str, float] | None = None,
    encoders: Mapping[str, str] | None = None,
    keep: Collection[str] = (),
) -> Baseline:
    """The baseline of `table`, less the columns `without` (labels, say); those in `keep` are features though they look
    like identifiers. `encoders` names what made the columns of vectors.

    Raises UsageError for an importance or encoder of no column and for a table without rows, CouldNotEvaluate when it
    cannot be read.
    """
    types = {name: type_ for name, type_ in table.types().items() if name not in without}
    if table.rows == 0 or not types:
        raise UsageError(f"{table.name} has no {'rows' if types else 'columns'} that a baseline could be made of")
    for what, given in (("importance", importances), ("encoder", encoders)):
        for name in given or ():
            if name not in types:
                raise UsageError(
                    f"an {what} is given for {name!r}, which {table.name} lacks: {did_you_mean(name, types)}"
                )

    def one(name: str) -> Column:
        by = (encoders or {}).get(name, "")
        with table.column(name) as column:
            found = described(column, types[name], table.rows, encoder=by, identifiers=name not in keep)
        return found.column

    return Baseline(
        made_with=_version(),
        source=table.name,
        rows=table.rows,
        columns=dict(zip(types, side_by_side(one, list(types)), strict=True)),
        importances={name: float(value) for name, value in (importances or {}).items()},
    )


def side_by_side(work: Callable[[str], T], names: list[str]) -> list[T]:
    """`work` on every name, in order, by as many threads as there are processors; the first trouble is raised."""
    with ThreadPoolExecutor(max(1, min(len(names), os.cpu_count() or 1))) as threads:
        return list(threads.map(work, names))


def _version() -> str:
    try:
        return f"pytest-mlgates {version('pytest-mlgates')}"
    except PackageNotFoundError:
        return "pytest-mlgates"

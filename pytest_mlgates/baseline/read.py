"""Reads a baseline back, of this version or an older one."""

from __future__ import annotations

import json
from typing import Any

from pytest_mlgates.baseline.document import VERSION, Baseline, Column
from pytest_mlgates.errors import UsageError
from pytest_mlgates.validation import read

_MAKE = "make it with `mlgates baseline TRAINING_FILE`"


def parsed(text: str, place: str) -> Baseline:
    """`text` as a baseline; `place` is for messages. Raises UsageError for anything that is none."""
    try:
        data: Any = json.loads(text)
    except ValueError as problem:
        raise UsageError(f"{place} is no baseline, for it is not JSON ({problem}): {_MAKE}") from None
    if not isinstance(data, dict) or "mlgates_baseline" not in data:
        raise UsageError(f'{place} is no baseline, for it lacks "mlgates_baseline": {_MAKE}')
    version = data["mlgates_baseline"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UsageError(f"{place} says it is a baseline of version {version!r}, which never was: {_MAKE}")
    if version > VERSION:
        raise UsageError(
            f"{place} was made by a newer version of pytest-mlgates ({data.get('made_with') or version}; this one "
            f"reads baselines up to version {VERSION}): update pytest-mlgates here"
        )
    columns = data.get("columns")
    if isinstance(columns, dict):
        data["columns"] = {name: _column(name, column, place) for name, column in columns.items()}
    return read(Baseline, data, {}, place)


def _column(name: str, data: Any, place: str) -> Column:
    if not isinstance(data, dict):
        raise UsageError(f"column {name!r} of {place} must be a table, not {data!r}")
    return read(Column, data, {}, f"column {name!r} of {place}")

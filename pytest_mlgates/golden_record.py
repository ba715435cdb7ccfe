"""Golden rows with the model's own answers in one small file, for whoever checks an endpoint without a registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.wires.likeness import Kinds

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """`kinds` is what `model` itself answers to `rows`, a kind of output each; `wire` the protocol's spec."""

    model: str
    columns: tuple[str, ...]
    rows: list[list[Any]]
    kinds: Kinds
    wire: str
    tolerance: float

    def to_json(self) -> str:
        rows = [f"    {json.dumps(row)}" for row in self.rows]
        kinds = [f"    {json.dumps([kind, list(values)])}" for kind, values in self.kinds]
        head = {"format": _FORMAT, "model": self.model, "wire": self.wire, "tolerance": self.tolerance}
        lines = [f'  "{key}": {json.dumps(value)},' for key, value in head.items()]
        lines += [f'  "columns": {json.dumps(self.columns)},', '  "rows": [', ",\n".join(rows), "  ],"]
        lines += ['  "answers": [', ",\n".join(kinds), "  ]"]
        return "\n".join(["{", *lines, "}", ""])


def read_record(file: Path) -> GoldenRecord:
    """Raises UsageError when `file` is no golden record."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return _checked(said)
    except OSError as problem:
        raise UsageError(f"the golden record {file} cannot be read: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{file} is no golden record ({type(problem).__name__}: {problem}): `mlgates golden record` writes one"
        ) from None


def _checked(said: Mapping[str, Any]) -> GoldenRecord:
    if said["format"] != _FORMAT:
        raise ValueError(f"format {said['format']!r} is not {_FORMAT}")
    columns, rows = tuple(said["columns"]), list(said["rows"])
    kinds = [(str(kind), list(values)) for kind, values in said["answers"]]
    if not rows or not kinds:
        raise ValueError("no rows or no answers")
    if any(len(row) != len(columns) for row in rows) or any(len(values) != len(rows) for _, values in kinds):
        raise ValueError("rows, columns and answers do not fit together")
    tolerance = float(said["tolerance"])
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance {tolerance}")
    return GoldenRecord(str(said["model"]), columns, rows, kinds, str(said["wire"]), tolerance)

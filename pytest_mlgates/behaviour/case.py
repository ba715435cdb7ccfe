"""What is tried on a model, what is found wrong, and the counter-example as a test to paste."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """Rows to ask about; for pairs, `others` are the same rows with one cell changed."""

    rows: tuple[Row, ...]
    others: tuple[Row, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        return {"rows": [dict(row) for row in self.rows], "others": [dict(row) for row in self.others]}

    @classmethod
    def from_plain(cls, data: Any) -> Case:
        """Raises KeyError, TypeError or ValueError when `data` is no case."""
        parts = []
        for key in ("rows", "others"):
            if not isinstance(data[key], list):
                raise TypeError(key)
            parts.append(tuple(dict(row) for row in data[key]))
        if not parts[0]:
            raise ValueError("no rows")
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was wrong with the answers to a case: in one sentence, and with the rows that matter. `broke`: the model
    died or hung, so that trying again is slow.
    """

    sentence: str
    case: Case
    asserts: str = ""
    broke: bool = False


@dataclass(frozen=True, slots=True)
class CounterExample:
    """A property that is broken, and the smallest case that shows it."""

    broken: str
    column: str
    wrong: Wrong
    promise: str
    shrunk: bool = True
    replayed: bool = False

    @property
    def name(self) -> str:
        return f"{self.broken} [{self.column}]" if self.column else self.broken

    def to_plain(self) -> dict[str, Any]:
        """As the evidence holds it."""
        return {
            "property": self.broken,
            "column": self.column,
            "sentence": self.wrong.sentence,
            "shrunk": self.shrunk,
            "replayed": self.replayed,
            "test": self.as_test(),
            **self.wrong.case.to_plain(),
        }

    def as_test(self) -> str:
        """A test to paste into a file beside the gates; it fails until the model keeps its promise."""
        words = re.sub(r"\W+", "_", f"{self.broken} {self.column}".strip()).lower()
        lines = ["def test_" + words + "(challenger):", f'    """{self.promise}."""'.replace("\\", "\\\\")]
        lines += [f"    {name} = {_source(rows)}" for name, rows in _named(self.wrong.case)]
        lines += [f"    {line}" for line in self.wrong.asserts.splitlines()]
        return "\n".join(lines) + "\n"


def _named(case: Case) -> list[tuple[str, tuple[Row, ...]]]:
    return [("rows", case.rows), *([("others", case.others)] if case.others else [])]


def _source(rows: tuple[Row, ...]) -> str:
    return "[" + ", ".join("{" + ", ".join(f"{k!r}: {_cell(v)}" for k, v in row.items()) + "}" for row in rows) + "]"


def _cell(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def shown(value: Any) -> str:
    """A cell or an answer for people."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else repr(value)

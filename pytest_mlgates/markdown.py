"""Markdown in which a hostile name stays a name: no HTML, no link, no picture, no broken table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*\[<|&~])")


def text(value: object) -> str:
    """`value` on one line, with what Markdown would act on escaped; characters that print nothing become blanks."""
    shown = "".join(char if char.isprintable() else " " for char in str(value))
    return _SPECIAL.sub(r"\\\1", " ".join(shown.split()))


def paragraph(value: object) -> str:
    """`value` as text that stands alone on its line."""
    return re.sub(r"^(?:(?=[#>+=-])|(\d+)(?=[.)]))", r"\1\\", text(value))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table; an empty cell is a dash."""
    lines = [_row(head), "|".join(["", *["---"] * len(head), ""])]
    return lines + [_row([text(cell) or "-" for cell in row]) for row in rows]


def bullets(items: Iterable[object]) -> list[str]:
    return [f"- {text(item)}" for item in items]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

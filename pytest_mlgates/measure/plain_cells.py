"""A frame's rows as plain cells, as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def plain_cells(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One mapping a row: a missing value is None, a time its ISO 8601 text, an array a list."""
    columns = {str(name): [_plain(cell) for cell in frame[name].tolist()] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(cell: Any) -> Any:
    if hasattr(cell, "tolist"):
        return cell.tolist()
    if cell is None or cell != cell:
        return None
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    return cell if isinstance(cell, (bool, int, float, str, list)) else str(cell)

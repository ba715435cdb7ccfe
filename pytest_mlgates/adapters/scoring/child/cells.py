"""Rows as a model receives them: a whole frame or array, or a few rows of cells of any kind."""

from __future__ import annotations

import io
import json
from typing import Any

_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float64")


def unpacked(kind: str, payload: bytes) -> Any:
    """What `rows.packed` made of a frame or an array."""
    if kind == "frame":
        import pyarrow as pa

        return pa.ipc.open_stream(payload).read_pandas()
    if kind == "columns":
        return _of_columns(json.loads(payload))
    import numpy as np

    return np.load(io.BytesIO(payload), allow_pickle=False)


def frame(rows: list[dict[str, Any]], dtypes: dict[str, str]) -> Any:
    """A frame of cells of any kind: of the golden set's types where the cells fit them, else of their own."""
    import pandas as pd

    return pd.DataFrame({name: _cells([row[name] for row in rows], dtypes.get(name)) for name in rows[0]})


def _cells(cells: list[Any], dtype: str | None) -> Any:
    import numpy as np
    import pandas as pd

    # Numbers that fit are by far the most, and pandas takes a thousand times as long for one.
    kind = np.dtype(dtype) if dtype in _NUMBERS else None
    if kind is not None and kind.kind in "iu" and all(type(cell) is int for cell in cells):
        ends = np.iinfo(kind)
        if all(ends.min <= cell <= ends.max for cell in cells):
            return np.array(cells, dtype=kind)
    if (dtype == "float64" or (kind is not None and None in cells)) and all(
        cell is None or type(cell) in (int, float) for cell in cells
    ):
        return np.array([float("nan") if cell is None else cell for cell in cells], dtype="float64")
    return _fitted(pd.Series(cells), dtype)


def _fitted(cells: Any, dtype: str | None) -> Any:
    import pandas as pd

    try:
        if dtype is None or dtype.startswith("datetime"):
            return cells if dtype is None else pd.to_datetime(cells).astype(dtype)
        cast = cells.astype(dtype)
        same = ((cast == cells) | (cast.isna() & cells.isna())).all()
    except (TypeError, ValueError, OverflowError):
        return cells
    return cast if same else cells


def _of_columns(told: list[dict[str, Any]]) -> Any:
    """A frame for an environment without Arrow; where there is no pandas either, an array of numbers."""
    import numpy as np

    columns = {one["name"]: np.array(one["cells"], dtype=one["dtype"]) for one in told}
    try:
        import pandas as pd
    except ModuleNotFoundError:
        words = [name for name, cells in columns.items() if cells.dtype.kind not in "biuf"]
        if words:
            raise TypeError(f"there is no pandas in this environment, and {words[0]} holds no numbers") from None
        return np.column_stack(list(columns.values()))
    return pd.DataFrame(columns)

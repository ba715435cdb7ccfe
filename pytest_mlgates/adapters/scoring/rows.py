"""Rows as bytes that another environment can read."""

from __future__ import annotations

import io
import json
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate


def packed(rows: Any, *, arrow: bool = True) -> tuple[str, bytes]:
    """Arrow for a DataFrame, or column by column for an environment without `arrow`; npy for an array.

    Raises CouldNotEvaluate for a frame that cannot be handed on.
    """
    if hasattr(rows, "columns"):
        return ("frame", _arrow(rows)) if arrow else ("columns", _columns(rows))
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(rows), allow_pickle=False)
    return "array", stream.getvalue()


def _arrow(rows: Any) -> bytes:
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(rows)
    except pa.ArrowException as problem:
        raise CouldNotEvaluate(f"these rows cannot be handed to a model: {problem}") from None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _columns(rows: Any) -> bytes:
    told = []
    for name in rows.columns:
        cells = rows[name].to_numpy()
        kind = cells.dtype.kind
        if kind == "O":
            cells = _without_gaps(cells)
        if kind == "O" and not all(cell is None or isinstance(cell, (str, int, float)) for cell in cells):
            raise CouldNotEvaluate(
                f"column {str(name)!r} cannot be handed to a model whose environment has no pyarrow: it holds more "
                "than numbers and texts"
            )
        dtype = cells.dtype.str if kind in "biufM" else "object"
        plain = cells.astype("int64").tolist() if kind == "M" else cells.tolist()
        told.append({"name": str(name), "dtype": dtype, "cells": plain})
    return json.dumps(told).encode()


def _without_gaps(cells: Any) -> Any:
    """Every mark of a missing cell as None: NaN, NaT and NA are not JSON."""
    import pandas as pd

    gaps = pd.isna(cells)
    cells = cells.copy()
    cells[gaps] = None
    return cells

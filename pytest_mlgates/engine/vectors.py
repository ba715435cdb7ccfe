"""A column of embeddings: mean and spread over all rows, images of some, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_mlgates.engine.port import Vectors
from pytest_mlgates.errors import CouldNotEvaluate

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Floats

#: Rows whose images are kept.
_IMAGES = 262_144


def summed(pieces: Iterable[Any], column: str, table: str, rows: int, directions: Floats) -> Vectors:
    """`directions` (d, k). Raises CouldNotEvaluate when rows differ in length or hold numbers that are not finite."""
    import numpy as np

    size = len(directions)
    step = -(-rows // _IMAGES) if rows else 1
    total, nulls, at = 0, 0, 0
    first: Any = None
    sums, squares = np.zeros(size), np.zeros(size)
    images = []
    for piece in pieces:
        nulls += piece.null_count
        present = piece.drop_null()
        if len(present) == 0:
            continue
        flat = present.flatten().to_numpy(zero_copy_only=False)
        if len(flat) != size * len(present):
            raise CouldNotEvaluate(
                f"column {column!r} of {table} holds vectors of {len(flat) / len(present):g} numbers on average, "
                f"not {size} in every row: give vectors of one length"
            )
        matrix = flat.reshape(len(present), size).astype(np.float64, copy=False)
        if not np.isfinite(matrix).all():
            raise CouldNotEvaluate(f"column {column!r} of {table} holds vectors with NaN or infinity")
        # Distances from one row, so that squares of large coordinates do not cancel.
        first = matrix[0].copy() if first is None else first
        apart = matrix - first
        sums += apart.sum(axis=0)
        squares += np.einsum("ij,ij->j", apart, apart)
        images.append(matrix[(-at) % step :: step] @ directions)
        at += len(present)
        total += len(present)
    if total == 0:
        return Vectors(0, nulls, np.zeros(size), 0.0, np.empty((0, directions.shape[1])))
    mean = sums / total
    spread = float((squares / total - mean**2).sum()) * total / max(total - 1, 1)
    return Vectors(total, nulls, mean + first, spread, np.concatenate(images))

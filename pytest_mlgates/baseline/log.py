"""`log_baseline()` for training scripts: the baseline of what a model was just taught on, kept with its run."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.baseline.document import FILE, Baseline
from pytest_mlgates.baseline.make import make
from pytest_mlgates.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from pytest_mlgates.engine.port import Table


def log_baseline(
    data: pd.DataFrame | str | os.PathLike[str],
    *,
    run_id: str = "",
    without: Collection[str] = (),
    importances: Mapping[str, float] | None = None,
    scores: ArrayLike | None = None,
    encoders: Mapping[str, str] | None = None,
) -> Baseline:
    """Keep the baseline of `data`, a frame or a file of training rows, with a run (default: the active one).

    `without` names columns that the model does not receive (the label); `importances` are the model's of its inputs,
    `scores` (n,) the model's on these rows, `encoders` what made each column of embeddings. No row is kept, and of
    columns that tell rows apart no value.

    Raises UsageError when something is given wrongly, CouldNotEvaluate when the data or MLflow cannot be reached.
    """
    from pytest_mlgates.adapters.mlflow.artifacts import keep_from_script

    made = make(_table(data), without=without, importances=importances, encoders=encoders)
    if scores is not None:
        made = made.model_copy(update={"scores": _scores(scores)})
    keep_from_script(run_id, FILE, made.to_json())
    return made


def _table(data: Any) -> Table:
    from pytest_mlgates.engine.arrow import ArrowTable
    from pytest_mlgates.engine.parts import MemoryParts
    from pytest_mlgates.engine.source import open_table

    if isinstance(data, (str, os.PathLike)):
        return open_table(os.fspath(data), Path.cwd(), what="the training data")
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(data, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, AttributeError) as problem:
        raise UsageError(f"log_baseline() takes a DataFrame or a file, and this is none ({problem})") from None
    return ArrowTable(MemoryParts(table, "the training data"))


def _scores(scores: ArrayLike) -> Any:
    import numpy as np

    from pytest_mlgates.baseline.describe import image

    values = np.asarray(scores, dtype=float)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise UsageError(
            f"scores must be finite numbers, one a row, not of shape {values.shape}: for two classes give those of the "
            "positive one"
        )
    return image(values)

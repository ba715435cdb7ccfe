"""The golden set as gates see it: frozen rows whose bytes were verified, split into what each column is for."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class GoldenSet:
    """`X` (n, features) what the models receive, `y` (n,) labels, `sensitive` (n, k); `weight` and `group` (n,)
    where the settings name such columns. For a binary task `y` is 1 for the positive class and 0 otherwise; for a
    multiclass task it is the place of the row's label in `classes`. `version` is the md5 that DVC pins.
    """

    X: pd.DataFrame
    y: NDArray[Any]
    sensitive: pd.DataFrame
    weight: NDArray[np.float64] | None
    group: NDArray[Any] | None
    version: str
    path: Path
    classes: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.y)


def verified_bytes(file: Path, md5: str) -> bytes:
    """The bytes of `file`, which hash to `md5`; they are read once, so what was checked is what is used.

    Raises CouldNotEvaluate when the file cannot be read or is not the one its pointer pins.
    """
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise CouldNotEvaluate(f"the golden set {file} cannot be read: {problem.strerror}") from None
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != md5:
        raise CouldNotEvaluate(
            f"the golden set {file} is not the file its pointer pins: its md5 is {found}, the pointer says {md5}. "
            f"To restore it: `dvc checkout --force {file.name}.dvc` (or `dvc fetch` first, when the copy in DVC's "
            "cache is damaged); if it is meant to be a new golden set: `dvc add` it and commit the pointer"
        )
    return data


def read_golden(settings: Settings, md5: str) -> GoldenSet:
    """The golden set of `settings`, whose bytes must hash to `md5`.

    Raises CouldNotEvaluate for a missing column, an empty set, a missing label, or a single class.
    """
    file = settings.golden_file
    return split(settings, parsed(file, verified_bytes(file, md5), "the golden set"), file, md5)


def split(settings: Settings, frame: pd.DataFrame, file: Path, version: str, what: str = "the golden set") -> GoldenSet:
    """The rows of `file` with what each of their columns is for. Raises as `read_golden`, naming them by `what`."""
    named = [settings.label, settings.weight, settings.group, *settings.sensitive, *settings.ignore]
    for column in filter(None, named):
        if column not in frame.columns:
            known = ", ".join(map(str, frame.columns[:40]))
            raise CouldNotEvaluate(f"{what} {file} has no column {column!r}; it has: {known}")
    if frame.empty:
        raise CouldNotEvaluate(f"{what} {file} has no rows")
    labels = frame[settings.label]
    if labels.isna().any():
        rows = int(labels.isna().sum())
        raise CouldNotEvaluate(f"{rows} of {len(frame)} labels in column {settings.label!r} of {file} are missing")
    y, classes = _labels(settings, labels.to_numpy(), what)
    weight = _weights(settings, frame, file) if settings.weight else None
    return GoldenSet(
        X=frame.drop(columns=list(settings.reserved_columns)),
        y=y,
        sensitive=frame[list(settings.sensitive)],
        weight=weight,
        group=frame[settings.group].to_numpy() if settings.group else None,
        version=version,
        path=file,
        classes=classes,
    )


def _weights(settings: Settings, frame: pd.DataFrame, file: Path) -> NDArray[np.float64]:
    weight: NDArray[np.float64] | None
    try:
        weight = frame[settings.weight].to_numpy(float)
    except (TypeError, ValueError):
        weight = None
    if weight is None or not ((weight > 0) & (weight < float("inf"))).all():
        raise CouldNotEvaluate(f"weights in column {settings.weight!r} of {file} must all be positive numbers")
    return weight


def parsed(file: Path, data: bytes, what: str) -> pd.DataFrame:
    """The rows in `data`, the bytes of `file`; `what` names it in the error. Raises CouldNotEvaluate."""
    import pandas as pd

    try:
        if file.suffix == ".csv":
            return pd.read_csv(io.BytesIO(data))
        if file.suffix in (".parquet", ".pq"):
            return pd.read_parquet(io.BytesIO(data), engine="pyarrow")
    except Exception as problem:  # noqa: BLE001 - pandas and pyarrow raise many kinds for one trouble: unreadable
        raise CouldNotEvaluate(f"{what} {file} cannot be read as {file.suffix[1:]}: {problem}") from None
    raise CouldNotEvaluate(f"{what} {file} must be a .parquet or .csv file")


def _labels(settings: Settings, values: NDArray[Any], what: str) -> tuple[NDArray[Any], tuple[Any, ...]]:
    import numpy as np

    if settings.task == "regression":
        return _numbers(settings, values), ()
    try:
        classes = tuple(np.unique(values).tolist())
    except TypeError:
        raise CouldNotEvaluate(
            f"the labels in column {settings.label!r} are of several kinds: write all as text or all as numbers"
        ) from None
    if len(classes) < 2:
        raise CouldNotEvaluate(f"{what} has one class only, {classes[0]!r}: nothing can be ranked")
    if settings.task == "multiclass":
        return np.unique(values, return_inverse=True)[1].astype(np.int64), classes
    if settings.positive_class not in classes:
        raise CouldNotEvaluate(
            f"positive_class = {settings.positive_class!r} ({settings.origin('positive_class')}) is no label of "
            f"{what}, whose labels are {', '.join(map(repr, classes[:20]))}"
        )
    if len(classes) > 2:
        raise CouldNotEvaluate(f'task = "binary", but {what} has {len(classes)} classes: {classes[:20]}')
    return (values == settings.positive_class).astype(np.int8), classes


def _numbers(settings: Settings, values: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    try:
        targets = values.astype(float)
    except (TypeError, ValueError):
        raise CouldNotEvaluate(
            f"the labels in column {settings.label!r} are not numbers, which a regression needs"
        ) from None
    if not np.isfinite(targets).all():
        bad = int((~np.isfinite(targets)).sum())
        raise CouldNotEvaluate(f"{bad} of {len(targets)} labels in column {settings.label!r} are infinite")
    return np.asarray(targets)

"""The training data beside the golden set, for comparing rows. Models here never see either."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet, parsed, verified_bytes
from pytest_mlgates.ports import GoldenStore
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Training:
    """`rows` of the training data and `golden` of the golden set, each with all its columns."""

    rows: pd.DataFrame
    golden: pd.DataFrame
    file: Path
    md5: str


def read_training(settings: Settings, path: str, golden: GoldenSet, store: Callable[[Path], GoldenStore]) -> Training:
    """The training data at `path` (the file or its ``.dvc`` pointer, relative to the settings).

    A file with a pointer is pulled when absent and must hash to what the pointer pins.
    Raises CouldNotEvaluate when it cannot be had or read, or has no rows.
    """
    file = settings.base / path.removesuffix(".dvc")
    if file.with_name(file.name + ".dvc").is_file():
        pinned = store(file)
        pointer = pinned.pointer()
        pinned.ensure(pointer)
        data, md5 = _bytes(file), pointer.md5
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != md5:
            raise CouldNotEvaluate(
                f"the training data {file} is not the file its pointer pins: its md5 is {found}, the pointer says "
                f"{md5}; to restore it: `dvc checkout --force {file.name}.dvc`"
            )
    else:
        data = _bytes(file)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    rows = parsed(file, data, "the training data")
    if rows.empty:
        raise CouldNotEvaluate(f"the training data {file} has no rows")
    return Training(rows, parsed(golden.path, verified_bytes(golden.path, golden.version), "the golden set"), file, md5)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise CouldNotEvaluate(f"the training data {file} cannot be read: {problem.strerror}") from None

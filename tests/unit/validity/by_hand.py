"""Golden sets and settings made by hand, and pointers as DVC writes them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.settings import Settings

SURVEY = Path(__file__).parents[3] / "pytest_mlgates" / "demo" / "acs_ma_employment.parquet"


def golden_of(frame: pd.DataFrame, label: str = "y", **more: Any) -> GoldenSet:
    """A golden set of these rows: every column but the label is a feature."""
    y = frame[label].to_numpy()
    known = {"sensitive": frame[[]], "weight": None, "group": None, "version": "v" * 32, "path": Path("golden.csv")}
    classes = tuple(np.unique(y).tolist())
    return GoldenSet(X=frame.drop(columns=label), y=y, **{**known, "classes": classes, **more})


def settings_of(base: Path = Path(), **more: Any) -> Settings:
    known = {"model": "m", "golden": "golden.csv", "label": "y", "task": "binary", "base": base}
    return Settings.model_validate({**known, **more})


def pin(file: Path) -> str:
    """Write the pointer that `dvc add` would; its md5."""
    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    file.with_name(f"{file.name}.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: {file.name}\n")
    return md5

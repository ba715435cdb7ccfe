"""A model loaded from its folder as its flavour loads it."""

from __future__ import annotations

import importlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

#: Flavours whose own loader gives predict_proba; pyfunc answers labels for these.
NATIVE = ("sklearn", "xgboost", "lightgbm", "catboost")


def load(files: Path, described: Any = None) -> dict[str, Any]:
    """The `model`, its `flavour`, and the `columns` of its signature. `described` is MLmodel as a table, for an
    environment that may have no reader of YAML.
    """
    if described is None:
        import yaml

        described = yaml.safe_load((files / "MLmodel").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for flavour in NATIVE:
        if flavour in described["flavors"]:
            native = _native(files, flavour, described["flavors"][flavour])
            found = {"model": native, "flavour": flavour, "columns": _columns(described)}
            if hasattr(native, "predict_proba"):
                return found
    try:
        from mlflow import pyfunc
    except ModuleNotFoundError:
        if not found:
            raise
        return found  # in an environment without MLflow
    return {"model": pyfunc.load_model(str(files)), "flavour": "pyfunc", "columns": _columns(described)}


def _native(files: Path, flavour: str, described: dict[str, Any]) -> Any:
    """The flavour's own object. A plain scikit-learn file is read as MLflow reads it, but without MLflow's
    imports, which take longer than scoring; anything out of the plain is MLflow's to load, or to refuse.
    """
    form, file = described.get("serialization_format", "pickle"), files / str(described.get("pickled_model"))
    plain = flavour == "sklearn" and not described.get("code") and file.is_file()
    if plain and os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").lower() in ("true", "1"):
        if form == "skops":
            import skops.io

            return skops.io.load(file, trusted=described.get("skops_trusted_types"))
        if form in ("pickle", "cloudpickle"):
            with file.open("rb") as stream:
                return pickle.load(stream)
    return importlib.import_module(f"mlflow.{flavour}").load_model(str(files))


def _columns(described: dict[str, Any]) -> list[str] | None:
    """The input columns of the model's signature, in order, or None where it has none."""
    inputs = (described.get("signature") or {}).get("inputs")
    columns = [column.get("name") for column in json.loads(inputs)] if inputs else []
    return columns if columns and all(columns) else None

"""What MLmodel asks its loader to do: import modules, run code, read files. And which file is read by which loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from pytest_mlgates.artifact.allowed import Allowed, Use
from pytest_mlgates.artifact.listed import FLAVOURS
from pytest_mlgates.artifact.problem import Damaged, Refused
from pytest_mlgates.artifact.stand_ins import Name

#: How a file will be read: by pickle alone, by any loader of pickles, by skops, by torch, or by nobody in particular.
Role = Literal["pickle", "pickles", "skops", "torch", ""]

_CODE_KEYS = {"code", "code_path", "code_paths", "model_code_path", "python_code", "custom_objects"}
_NAME_PARTS = ("class", "module", "loader")
_PATH_KEYS = {
    *("pickled_model", "model_path", "data", "model_data", "model_binary", "model", "path", "python_model"),
    *("saved_model_dir", "components_binary", "extra_files"),
}
#: What MLflow itself writes under keys that name a class, a module or a loader.
_OWN_NAMES = {
    *(f"mlflow.{flavour}" for flavour in FLAVOURS if flavour != "python_function"),
    *("mlflow.pyfunc.model", "CatBoostClassifier", "CatBoostRegressor", "CatBoost", "CatBoostRanker"),
    *("keras", "tf_keras", "tensorflow.keras", "mlflow.pytorch.pickle_module", "mlflow.prophet"),
    *("Prophet", "pmdarima.arima.auto.auto_arima", "TextClassificationPipeline"),
}
_CODE_LOADERS = ("mlflow.pyfunc.loaders.code_model",)
PICKLE_MODULES = {"mlflow.pytorch.pickle_module", "pickle", "cloudpickle"}


@dataclass(slots=True)
class Described:
    """`flavours` in order; `roles` says how files, relative to the folder of MLmodel, are read."""

    flavours: tuple[str, ...] = ()
    roles: dict[str, Role] = field(default_factory=dict)
    problems: list[Refused] = field(default_factory=list)


def flavours_of(document: Any) -> tuple[str, ...]:
    """Raises Damaged for a document that is no MLmodel."""
    flavours = document.get("flavors") if isinstance(document, dict) else None
    if not isinstance(flavours, dict) or not flavours or not all(isinstance(name, str) for name in flavours):
        raise Damaged("it describes no flavours")
    return tuple(flavours)


def describe(document: Any, allowed: Allowed) -> Described:
    """What a parsed MLmodel asks for. Raises Damaged."""
    found = Described(flavours_of(document))
    for flavour, conf in document["flavors"].items():
        try:
            if flavour not in FLAVOURS:
                raise Refused("format", f"the flavour {flavour!r} is none whose files can be judged")
            if conf is not None and not isinstance(conf, dict):
                raise Damaged(f"the flavour {flavour!r} is described by no table")
            for key, value in _entries(conf or {}):
                _check(flavour, key, value, allowed)
            found.roles |= _roles(flavour, conf or {})
        except Refused as refused:
            found.problems.append(refused)
    return found


def _entries(conf: Mapping[Any, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > 8:
        raise Damaged("its tables are nested without end")
    for key, value in conf.items():
        if isinstance(value, dict):
            yield from _entries(value, depth + 1)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from _entries(one, depth + 1)
            yield str(key), one


def _check(flavour: str, key: str, value: Any, allowed: Allowed) -> None:
    if key in _CODE_KEYS and value not in (None, False, "", {}, []):
        raise Refused("code", f"{flavour}.{key} brings code along ({value})")
    if key == "loader_module" and value in _CODE_LOADERS:
        raise Refused("code", "it is a model from code")
    if key in _PATH_KEYS and isinstance(value, str) and not inside(value):
        raise Refused("place", f"{flavour}.{key} leaves the artifact ({value})")
    named = any(part in key.lower() for part in _NAME_PARTS)
    if named and isinstance(value, str) and value not in _OWN_NAMES and not _listed(value, allowed):
        raise Refused("name", f"{flavour}.{key} asks for {value}, which is not on the list of what its flavour needs")


def _listed(value: str, allowed: Allowed) -> bool:
    module, _, name = value.rpartition(".")
    return bool(allowed.use(Name(module, name))[0] & Use.MAKE)


def inside(path: str) -> bool:
    """Whether a path stays in the folder it is relative to."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return not path.startswith(("/", "\\", "~")) and ".." not in parts and ":" not in path and "\0" not in path


def _roles(flavour: str, conf: Mapping[str, Any]) -> dict[str, Role]:
    form = str(conf.get("serialization_format", ""))
    file = next((str(conf[key]) for key in ("pickled_model", "data", "model_data") if conf.get(key)), "")
    by_form: dict[str, Role] = {"skops": "skops", "pickle": "pickle", "cloudpickle": "pickle"}
    if flavour == "sklearn" and file:
        return {file: by_form.get(form, "pickle")}
    if flavour == "lightgbm" and file and conf.get("model_class", "lightgbm.basic.Booster") != "lightgbm.basic.Booster":
        return {file: by_form.get(form, "pickle")}
    if flavour in ("statsmodels", "pmdarima") and file:
        return {file: "pickles"}
    if flavour == "pytorch" and file:
        return {f"{file}/model.pth": "torch"}
    if flavour == "python_function" and isinstance(conf.get("python_model"), str):
        return {conf["python_model"]: "pickle"}
    return {}

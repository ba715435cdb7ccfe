"""The places settings are written in: files and the environment. Nothing is validated here but shape."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.validation import did_you_mean

PREFIX = "MLGATES_"
#: Variables of our own test-suite and CI, which are no settings.
_NOT_SETTINGS = "MLGATES_TEST_"


def find(start: Path) -> Path | None:
    """The nearest mlgates.toml, or pyproject.toml with ``[tool.mlgates]``, at or above `start`.

    Raises UsageError when one folder has both, because neither could be said to win.
    """
    for folder in (start, *start.parents):
        own, shared = folder / "mlgates.toml", folder / "pyproject.toml"
        in_shared = shared.is_file() and "mlgates" in _parsed(shared).get("tool", {})
        if own.is_file() and in_shared:
            raise UsageError(f"{own} and [tool.mlgates] in {shared} both exist: keep one of them")
        if own.is_file():
            return own
        if in_shared:
            return shared
    return None


def table(file: Path) -> tuple[dict[str, Any], str]:
    """The table of settings in `file`, and how to name the place in a sentence."""
    parsed = _parsed(file)
    if file.name == "mlgates.toml":
        return parsed, file.name
    found = parsed["tool"]["mlgates"]
    if not isinstance(found, dict):
        raise UsageError(f"tool.mlgates in {file} must be a table, not {found!r}")
    return found, f"{file.name} [tool.mlgates]"


def one_model(table: Mapping[str, Any], place: str, name: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The values for one model with where each was written; `name` chooses among ``[tool.mlgates.models]``.

    Raises UsageError when several models are written and none, or an unknown one, is asked for.
    """
    values = {key: value for key, value in table.items() if key != "models"}
    origins = dict.fromkeys(values, place)
    models = table.get("models")
    if models is None:
        return values, origins
    if not isinstance(models, dict) or not all(isinstance(part, dict) for part in models.values()):
        raise UsageError(f"models in {place} must be tables: [tool.mlgates.models.NAME]")
    if name is None and len(models) == 1:
        name = next(iter(models))
    if name is None:
        raise UsageError(f"{place} has the models {', '.join(sorted(models))}: choose one with --mlgate-model NAME")
    if name not in models:
        raise UsageError(f"--mlgate-model {name}: no such model in {place}; {did_you_mean(name, models)}")
    chosen = {"model": name, **models[name]}
    origins |= dict.fromkeys(chosen, f"{place} models.{name}")
    return values | chosen, origins


def from_environment(environ: Mapping[str, str], known: Collection[str]) -> dict[str, Any]:
    """Settings given as ``MLGATES_<KEY>``; a variable that is no setting raises UsageError."""
    found: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(_NOT_SETTINGS):
            continue
        key = variable.removeprefix(PREFIX).lower()
        if key not in known:
            raise UsageError(f"unknown setting {variable} in the environment: {did_you_mean(key, known)}")
        found[key] = _value(key, text)
    return found


#: Settings whose value stays the text it is, even where it looks like a number.
_TEXT = {"model", "golden", "label", "task", "registry", "champion", "challenger", "former", "report", "phase"}


def _value(key: str, text: str) -> Any:
    """An environment value means what the same characters mean in TOML; other text is text."""
    if key in _TEXT:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"{file} is not valid TOML: {problem}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{file} cannot be read: {problem}") from None

"""Turns a wrong key or value into one clear sentence: what was given, where, what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pytest_mlgates.errors import UsageError, without_login

M = TypeVar("M", bound=BaseModel)

_SECRET = ("authorization", "cookie", "key", "token", "secret", "password", "passwd", "credential")
_MEANT = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": 'a list such as ["a", "b"]',
    "dict_type": "a table of key = value",
    "mapping_type": "a table of key = value",
    "model_type": "a table of key = value",
    "date_type": "a date such as 2027-01-31",
}


def read(model: type[M], values: Mapping[str, Any], where: Mapping[str, str], default_where: str) -> M:
    """`values` as a `model`; `where` says of each top-level key where it was written.

    Raises UsageError for the first wrong key or value.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as problem:
        # A misspelt key explains a missing one, so it is the one to show.
        first = min(problem.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden")
        path = [str(part) for part in first["loc"]]
        source = where.get(path[0], default_where) if path else default_where
        raise UsageError(_sentence(model, first, path, source)) from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question, or the known words."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(names) or 'none'}"


def looks_secret(name: str) -> bool:
    """Whether what stands under `name` (a key, a header) is nobody's business."""
    return name not in ("key", "keys") and any(word in name.lower() for word in _SECRET)


def _sentence(model: type[BaseModel], error: Any, path: list[str], source: str) -> str:
    key = ".".join(path)
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return f"unknown key {key!r} in {source}: {did_you_mean(path[-1], _keys(model, path))}"
    if kind == "missing":
        return f"{key!r} is missing in {source}: {_described(model, path)}"
    if kind in _MEANT:
        return f"{key} in {source} must be {_MEANT[kind]}, not {_shown(path, given, typed=True)}"
    if kind == "literal_error":
        return f"{key} in {source} must be one of {error['ctx']['expected']}, not {_shown(path, given)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "it should be")
    # A rule over several keys is given all of them, and their values are nobody's business.
    return f"{key} in {source} cannot be {_shown(path, given)}: {message}" if key else f"wrong in {source}: {message}"


def _shown(path: list[str], given: Any, *, typed: bool = False) -> str:
    """What was given, but never a secret: of a table its keys, of a URL no login, of a token only its type."""
    kind = type(given).__name__
    if any(map(looks_secret, path)):
        return f"what was given ({kind}, not shown here)"
    if isinstance(given, Mapping):
        return f"a table with {', '.join(map(repr, given)) or 'nothing in it'}"
    if isinstance(given, (list, tuple)) and any(isinstance(one, Mapping) for one in given):
        return "a list of tables"
    text = without_login(repr(given))
    return f"{text} ({kind})" if typed else text


def _keys(model: type[BaseModel], path: list[str]) -> Iterable[str]:
    for part in path[:-1]:
        field = model.model_fields.get(part)
        model = _table_in(field.annotation) or model if field else model
    return model.model_fields


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that `annotation` is, may be, or is a list of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)


def _described(model: type[BaseModel], path: list[str]) -> str:
    field = model.model_fields.get(path[0])
    return (field.description if field else None) or f"write {path[-1]} = ..."

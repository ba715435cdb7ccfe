"""`[tool.mlgates]` as text, with a comment on every line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mlgates.errors import UsageError

#: Key -> what it means, for whoever reads the file in a year.
MEANING = {
    "model": "name of the registered model",
    "golden": "rows with true labels that no training sees; DVC pins them",
    "label": "its label column",
    "task": "binary, multiclass or regression",
    "positive_class": "the label that counts as positive",
    "gates": "what must pass; more: docs/settings.md",
    "registry": "where the model is registered; a password belongs in the environment",
    "champion": "the alias (or stage:NAME) of the version that serves; promotion moves it",
    "challenger": "the alias of the version that wants to serve",
    "ignore": "columns that the model does not receive",
    "weight": "inverse sampling probability of each row",
    "group": "rows that belong together: intervals become cluster-robust",
    "sensitive": "columns whose groups are compared by slices and, on request, fairness",
}
#: Settings that a table of their own holds.
_TABLES = {"env_lock": {"serving": "the lock of what serves, for the gate env_lock (on request)"}}


def text(values: Mapping[str, Any], why: Mapping[str, str]) -> str:
    """TOML for `values`, in the order of MEANING; `why` says of a guessed key what the guess rests on."""
    lines = [
        _line(key, values[key], meaning, why.get(key, ""))
        for key, meaning in MEANING.items()
        if values.get(key) is not None
    ]
    parts = [["[tool.mlgates]", *_aligned(lines)]]
    for table, keys in _TABLES.items():
        inside = [
            _line(key, values[f"{table}.{key}"], meaning, why.get(f"{table}.{key}", ""))
            for key, meaning in keys.items()
            if values.get(f"{table}.{key}") is not None
        ]
        if inside:
            parts.append([f"[tool.mlgates.{table}]", *_aligned(inside)])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def toml(value: Any) -> str:
    """A JSON string is a TOML string too, whatever is in it, but for DEL; so are lists, numbers and booleans.

    Raises UsageError for text that no file in UTF-8 can hold.
    """
    made = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False).replace("\x7f", "\\u007F")
    try:
        made.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{value!r} is not text in UTF-8: rename it, or write the settings by hand") from None
    return made


def one_line(words: str, most: int = 160) -> str:
    """`words` for a comment, which a control character would end."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in words)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _line(key: str, value: Any, meaning: str, why: str) -> tuple[str, str]:
    return f"{key} = {toml(value)}", one_line(f"{meaning} ({why})" if why else meaning)


def _aligned(lines: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(setting) for setting, _ in lines if len(setting) <= 40), default=0)
    return [f"{setting.ljust(width)}  # {comment}" for setting, comment in lines]

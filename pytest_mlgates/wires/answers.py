"""What makes an answer right: its status, its content type, and a finite value for every row."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate

_ERROR_KEYS = ("error", "errors", "error_code", "error_message", "exception")
_SENTENCE_KEYS = ("message", "error_message", "error", "errors", "detail", "msg", "exception", "error_code")
_NOT_A_NUMBER = {"nan", "inf", "-inf", "infinity", "-infinity"}
_SHOWN = 200


def accepted(status: int, headers: Mapping[str, str], body: bytes, types: tuple[str, ...]) -> None:
    """Raises CouldNotEvaluate for a status other than 200 and for a content type that is none of `types`."""
    fields = {name.lower(): value for name, value in headers.items()}
    if 300 <= status < 400:
        place = fields.get("location", "another address")
        raise CouldNotEvaluate(f"HTTP {status}, a redirect to {place[:_SHOWN]}: give the URL that answers itself")
    if status != 200:
        raise CouldNotEvaluate(f"HTTP {status}{_said(body)}")
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in types and not ("application/json" in types and kind.endswith("+json")):
        raise CouldNotEvaluate(f"the content type is {kind or 'not given'}, not {types[0]}{_said(body)}")


def parsed(body: bytes) -> Any:
    """The JSON in `body`. Raises CouldNotEvaluate when it is none, or an error dressed as an answer."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise CouldNotEvaluate(f"the answer is no JSON{_said(body)}") from None
    if isinstance(found, dict):
        for key in _ERROR_KEYS:
            if found.get(key):
                raise CouldNotEvaluate(f"HTTP 200 with an error in it: {sentence(body)}")
    return found


def checked(found: Any, rows: int, *, nonzero: bool) -> list[Any]:
    """One value, or list of values, for each of `rows`. Raises CouldNotEvaluate."""
    if not isinstance(found, list):
        raise CouldNotEvaluate(f"the answer is {_shown(found)}, not a list with a value a row")
    if len(found) != rows:
        raise CouldNotEvaluate(f"{len(found)} answers for {rows} rows")
    values = [list(row.values()) if isinstance(row, dict) else row for row in found]
    widths = {len(row) if isinstance(row, list) else None for row in values}
    if len(widths) > 1 or 0 in widths:
        raise CouldNotEvaluate("the rows are answered in different shapes")
    for place, row in enumerate(values):
        for value in row if isinstance(row, list) else (row,):
            problem = _wrong(value)
            if problem:
                raise CouldNotEvaluate(f"row {place} is answered {problem}")
    flat = [value for row in values for value in (row if isinstance(row, list) else [row])]
    if nonzero and all(not isinstance(value, str) and value == 0 for value in flat):
        raise CouldNotEvaluate(f"all {len(flat)} values are 0, as no golden row is answered: filled in, not scored")
    return values


def sentence(body: bytes) -> str:
    """What a body says to a person, in one line; "" when it says nothing."""
    text = body[:20_000].decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        told = next((found[key] for key in _SENTENCE_KEYS if found.get(key)), found)
        if isinstance(told, dict):
            told = next((told[key] for key in _SENTENCE_KEYS if told.get(key)), told)
        text = told if isinstance(told, str) else json.dumps(told)
    text = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I)
    text = " ".join(re.sub(r"[^\x20-\x7e\u00a0-\uffff]", " ", text).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _wrong(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return repr(value) if value.strip().lower() in _NOT_A_NUMBER else ""
    if isinstance(value, (bool, int, float)):
        return ""
    return f"by {_shown(value)}"


def _said(body: bytes) -> str:
    text = sentence(body)
    return f": {text}" if text else ""


def _shown(found: Any) -> str:
    if isinstance(found, dict):
        return f"an object with {', '.join(map(repr, list(found)[:5])) or 'nothing in it'}"
    return {list: "a list", str: "text", type(None): "null"}.get(type(found), repr(found)[:40])

"""The three kinds of PATCH, as an API server applies them."""

from __future__ import annotations

import copy
from typing import Any

#: Lists of these names are joined by the key; every other list is replaced.
_MERGE_KEYS = {"containers": "name", "env": "name", "ports": "containerPort", "volumes": "name", "conditions": "type"}


class Invalid(Exception):
    """422."""


def strategic(target: Any, patch: Any) -> Any:
    """Objects are merged, null removes, lists with a merge key are joined by it."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, list) and key in _MERGE_KEYS:
            merged[key] = _joined(merged.get(key) or [], value, _MERGE_KEYS[key])
        elif isinstance(value, dict):
            merged[key] = strategic(merged.get(key), value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _joined(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    joined = copy.deepcopy(target)
    for item in patch:
        place = next((i for i, old in enumerate(joined) if old.get(key) == item.get(key)), None)
        if place is None:
            joined.append(strategic({}, item))
        else:
            joined[place] = strategic(joined[place], item)
    return joined


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: lists are replaced."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def json_patch(target: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902, the operations test, add, replace and remove. Raises Invalid when one does not hold."""
    result = copy.deepcopy(target)
    for one in operations:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]]
        place = result
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place.get(part, {})
        if one["op"] == "test":
            if place.get(last) != one["value"]:
                raise Invalid(f"testing path {one['path']} value failed")
        elif one["op"] == "remove":
            if last not in place:
                raise Invalid(f"unable to remove nonexistent key: {one['path']}")
            del place[last]
        elif one["op"] == "replace" and last not in place:
            raise Invalid(f"replace operation does not apply: doc is missing key: {one['path']}")
        else:
            place[last] = copy.deepcopy(one["value"])
    return result

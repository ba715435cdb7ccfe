"""skops' schema: a tree of types that its loader imports. The list of trusted types beside it counts nothing."""

from __future__ import annotations

import json
import re
from typing import Any

from pytest_mlgates.artifact.allowed import Allowed, Use
from pytest_mlgates.artifact.calls import EVALUATED
from pytest_mlgates.artifact.pickles import refusal
from pytest_mlgates.artifact.problem import Damaged, Refused
from pytest_mlgates.artifact.stand_ins import Name

_LARGEST = 64 << 20
#: Loaders that hold other nodes or data; the rest gets a call, a method or a constructor from the file.
_LOADERS = frozenset(
    (
        *("DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "BytesNode", "BytearrayNode"),
        *("SliceNode", "JsonNode", "ObjectNode", "TypeNode", "NdArrayNode", "MaskedArrayNode", "DTypeNode"),
        *("RandomStateNode", "RandomGeneratorNode", "SparseMatrixNode", "LossNode", "TreeNode", "FunctionNode"),
        *("ReduceNode", "CachedNode"),
    )
)
_DUNDER = re.compile(r"__\w+__$")
_OWN_KEYS = {
    "__class__",
    "__module__",
    "__loader__",
    "__id__",
    "__module_path__",
    "__function__",
    "__reduce__",
    "__doc__",
}


def read_schema(view: memoryview, allowed: Allowed) -> None:
    """Raises Refused for the first type, function or loader that no model needs."""
    if len(view) > _LARGEST:
        raise Damaged(f"its schema is larger than {_LARGEST >> 20} MB")
    try:
        schema = json.loads(bytes(view), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Damaged("its schema is no JSON, or names a key twice") from None
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            _check(node, allowed)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _check(node: dict[str, Any], allowed: Allowed) -> None:
    if "__loader__" in node:
        loader = node["__loader__"]
        if loader not in _LOADERS:
            raise Refused("name", f"its loader {loader!r} takes calls from the file")
        if not isinstance(node.get("__module__"), str) or not isinstance(node.get("__class__"), str):
            raise Damaged("a node of its schema has no type")
    if "__module__" in node or "__class__" in node:
        pointed = node.get("__loader__") in ("TypeNode", "FunctionNode")
        _allow(node.get("__module__"), node.get("__class__"), allowed, Use.REFER if pointed else Use.MAKE)
    for key in node:
        if key in EVALUATED or (_DUNDER.match(key) and key not in _OWN_KEYS):
            raise Refused("name", f"it sets {key} on an object")
    for module, name in (("module_path", "function"), ("__module_path__", "__function__")):
        if module in node or name in node:
            _allow(node.get(module), node.get(name), allowed, Use.REFER)


def _allow(module: Any, name: Any, allowed: Allowed, needed: Use) -> None:
    found = Name(str(module), str(name))
    use, why = allowed.use(found)
    if not use & needed:
        raise refusal(found, why)

"""torch.export's archives: a graph in JSON that names its operations, and weights as raw numbers or in pickles.

Their loader looks operations up by name below `torch`, evaluates the texts of symbolic sizes, and imports what the
shape of inputs names. So each of these is held against what graphs of plain tensors need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.artifact.archives import Member
from pytest_mlgates.artifact.problem import Damaged, Refused

_LARGEST = 256 << 20
_OPERATION = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!from_file\b)\w+(\.\w+)?"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc|sqrt)|torch\.sym_(int|float|max|min|not|ite|sum)"
)
#: Symbols of sizes, numbers, and the functions that torch writes sizes with; no token is read in two ways.
_SYMBOL = r"Symbol\('[su]\d++'(, (positive|integer|nonnegative|real)=True)*+\)"
_FUNCTION = "True|False|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|Integer|Eq|Ne|Le|Lt|Ge|Gt|oo|int_oo"
_SIZE = re.compile(rf"(?:{_SYMBOL}|[su]\d++|\d++|[-+*/%(),<>=&|~\s]|(?:{_FUNCTION})\b)*+")
_TREES = {None, "builtins.list", "builtins.tuple", "builtins.dict", "collections.OrderedDict"}
_OBJECTS = ("as_custom_obj", "custom_obj", "class_fqn")


@dataclass(slots=True)
class Exported:
    """Names of members: `graphs` are read here, `raw` holds numbers and nothing else."""

    graphs: set[str] = field(default_factory=set)
    raw: set[str] = field(default_factory=set)


def exported(members: Iterable[Member]) -> Exported | None:
    """What is what in such an archive, or None for any other. Raises Refused."""
    by_name = {member.name: member.view for member in members}
    root = next((name.partition("/")[0] for name in by_name if re.fullmatch(r"[^/]+/archive_format", name)), "")
    if not root or bytes(by_name[f"{root}/archive_format"]) != b"pt2":
        return None
    found = Exported()
    for name, view in by_name.items():
        inner = name.removeprefix(f"{root}/")
        if inner.startswith("data/aotinductor/"):
            raise Refused("code", f"{name}: it is compiled code")
        if re.fullmatch(r"models/[^/]+\.json", inner):
            found.graphs.add(name)
        elif re.fullmatch(r"data/(weights|constants)/[^/]+_config\.json", inner):
            found.graphs.add(name)
            found.raw |= _raw(view, name)
    return found


def read_graph(view: memoryview) -> None:
    """Raises Refused for the first operation, size or shape that plain tensors do not need."""
    waiting = [_parsed(view)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            _check(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _raw(view: memoryview, name: str) -> set[str]:
    """The members that the list of weights beside them calls raw."""
    listed = _parsed(view).get("config")
    folder = name.rpartition("/")[0]
    found = set()
    for entry in listed.values() if isinstance(listed, dict) else [{}]:
        path = entry.get("path_name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(path, str) or "/" in path:
            raise Damaged(f"{name}: its list of weights cannot be read")
        if not path.startswith(("weight_", "tensor_")):
            raise Refused("code", f"{name}: it holds {path}, an object that is no tensor")
        if entry.get("use_pickle") is False:
            found.add(f"{folder}/{path}")
    return found


def _check(one: dict[str, Any]) -> None:
    for key in ("target", "as_operator"):
        wanted = one.get(key)
        if isinstance(wanted, str) and (key == "as_operator" or "inputs" in one) and not _OPERATION.fullmatch(wanted):
            raise Refused("name", f"its graph calls {wanted}, which graphs of tensors do not need")
    if "expr_str" in one and not (isinstance(one["expr_str"], str) and _SIZE.fullmatch(one["expr_str"])):
        raise Refused("code", f"its size {one['expr_str']!r} is a text that torch would evaluate")
    for key in _OBJECTS:
        if one.get(key) is not None:
            raise Refused("code", f"its {key} is an object of its own")
    for key in ("in_spec", "out_spec"):
        if one.get(key):
            _check_tree(one[key], key)


def _check_tree(text: Any, key: str) -> None:
    """The shape of inputs and outputs: containers of containers."""
    try:
        _, tree = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise Damaged(f"its {key} cannot be read") from None
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            raise Damaged(f"its {key} cannot be read")
        kind = one.get("type", "")
        if kind not in _TREES or "__enum__" in str(one.get("context")):
            raise Refused("name", f"its {key} imports {kind}")
        waiting += one.get("children_spec", [])


def _parsed(view: memoryview) -> Any:
    if len(view) > _LARGEST:
        raise Damaged(f"its graph is larger than {_LARGEST >> 20} MB")
    try:
        found = json.loads(bytes(view), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Damaged("its graph is no JSON, or names a key twice") from None
    if not isinstance(found, dict):
        raise Damaged("its graph is no table")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found

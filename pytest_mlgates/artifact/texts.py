"""Texts: plain ones, JSON and YAML. A text is data unless something in it asks a loader to import or to execute."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from pytest_mlgates.artifact.problem import Damaged, Refused

_PIECE = 1 << 20
#: Larger JSON is searched and not parsed: a tree of 100 MB takes 1 GB as objects.
_PARSED = 32 << 20
_YAML_PARSED = 8 << 20
_PYTHON_TAG = re.compile(rb"!!python|tag:yaml\.org,2002:python|!python/|!ruby|!!java|!!javax", re.IGNORECASE)
_ASKS = re.compile(rb'"py/\w+"|"__lambda__"|"\$?auto_map"|"class_name"\s*:\s*"(Lambda|TorchModuleWrapper)"')
_PLAIN = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "binary", "omap", "pairs", "set", "merge")
_STANDARD_TAGS = {"!", *(f"tag:yaml.org,2002:{kind}" for kind in (*_PLAIN, "value"))}
_KERAS_MODULE = re.compile(r"keras(\.[a-z_.]+)?$|builtins$")
_KERAS_CODE = {"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer", "function"}


def is_text(view: memoryview) -> bool:
    """Whether it is UTF-8 without control characters that no text has; read in pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(view), _PIECE):
            piece = bytes(view[at : at + _PIECE])
            if b"\0" in piece:
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_text(view: memoryview, name: str) -> None:
    """Raises Refused for a text that carries code or asks for it."""
    if bytes(view[:2]) == b"#!":
        raise Refused("code", "it is a script")
    found = _PYTHON_TAG.search(view)
    if found:
        raise Refused("name", f"its tag {found[0].decode()} asks a YAML loader to import something")
    if is_yaml(name):
        read_yaml(view)
    elif name.endswith(".json") or bytes(view[:64]).lstrip()[:1] in (b"{", b"["):
        read_json(view, named=name.endswith(".json"))


def is_yaml(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last in ("MLmodel", "registered_model_meta") or last.endswith((".yaml", ".yml"))


def read_yaml(view: memoryview) -> Any:
    """The parsed document, by the safe loader. Raises Refused when it has a tag that is not plain YAML's."""
    import yaml

    if len(view) > _YAML_PARSED:
        raise Damaged(f"this YAML is larger than {_YAML_PARSED >> 20} MB")
    text = bytes(view)
    try:
        for event in yaml.parse(text, Loader=_yaml_loader()):
            tag = getattr(event, "tag", None)
            if tag is not None and tag not in _STANDARD_TAGS:
                raise Refused("name", f"its tag {tag} is none of plain YAML's")
        return yaml.load(text, Loader=_yaml_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise Damaged(f"this YAML cannot be read ({str(problem).splitlines()[0]})") from None


def _yaml_loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_json(view: memoryview, *, named: bool) -> Any:
    """Raises Refused when it asks a loader to import; a text that is not called JSON need not be any."""
    found = _ASKS.search(view)
    if found:
        raise Refused("code", f"its {found[0].decode()} asks a loader to build code")
    if len(view) > _PARSED:
        if re.search(rb"\\u00[2-7]", view):
            raise Damaged("this JSON spells plain letters as escapes and is too large to be parsed")
        return None
    try:
        parsed = json.loads(bytes(view))
    except (ValueError, RecursionError):
        if named:
            raise Damaged("this is no JSON") from None
        return None
    _walk(parsed)
    return parsed


def _walk(parsed: Any) -> None:
    waiting = [parsed]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            for key in one:
                if key.startswith("py/") or key in ("__lambda__", "auto_map"):
                    raise Refused("code", f"its key {key!r} asks a loader to build code")
            _check_keras(one)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _check_keras(one: dict[str, Any]) -> None:
    """Keras imports `module` and takes `class_name` from it."""
    wanted, module = one.get("class_name"), one.get("module")
    if not isinstance(wanted, str) or "config" not in one:
        return
    if wanted in _KERAS_CODE:
        raise Refused("code", f"its layer {wanted} carries code")
    if module is not None and not (isinstance(module, str) and _KERAS_MODULE.match(module)):
        raise Refused("name", f"its class_name {wanted!r} is imported from {module!r}")
    if module is not None and not wanted[:1].isupper() and module != "builtins":
        raise Refused("name", f"its class_name {wanted!r} from {module!r} is no class")

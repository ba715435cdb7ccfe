"""What a dotted name is, told from the files of the installed packages: nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Literal

What = Literal["class", "function", "compiled", "other", "absent"]


def what_is(module: str, name: str, folders: Sequence[Path]) -> What:
    """`absent` when no file in `folders` is that module; `compiled` names cannot be looked up."""
    file = _file(module, tuple(folders))
    if file is None:
        return "absent"
    if file.suffix != ".py":
        return "compiled"
    classes, functions = _defined(file)
    return "class" if name in classes else "function" if name in functions else "other"


@cache
def _file(module: str, folders: tuple[Path, ...]) -> Path | None:
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for folder in folders:
        if not (folder / parts[0]).exists() and len(parts) > 1:
            continue
        place = folder.joinpath(*parts)
        candidates = [place / "__init__.py", place.with_name(place.name + ".py")]
        candidates += [place.with_name(place.name + suffix) for suffix in EXTENSION_SUFFIXES]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
    return None


@cache
def _defined(file: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The names of classes and functions defined at the top of a module."""
    text = file.read_text(encoding="utf-8", errors="replace")
    classes = re.findall(r"^class\s+(\w+)", text, re.MULTILINE)
    functions = re.findall(r"^(?:async\s+)?def\s+(\w+)", text, re.MULTILINE)
    return frozenset(classes), frozenset(functions) - frozenset(classes)

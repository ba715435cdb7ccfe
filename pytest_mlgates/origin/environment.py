"""The environment a model was trained in, as one canonical list and its digest."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_mlgates import fingerprint

_SUFFIX = ".dist-info"


def packages(folders: Iterable[Path]) -> list[str]:
    """``name==version`` of what is installed in `folders`, sorted, names as PEP 503 writes them.

    Of a package that is there twice the first counts, as for an import. Only the names of the metadata folders are
    read: opening 200 of them would take longer than everything else a stamp does.
    """
    found: dict[str, str] = {}
    for folder in folders:
        if folder.is_dir():
            for entry in sorted(folder.glob(f"*{_SUFFIX}")):
                name, _, version = entry.name.removesuffix(_SUFFIX).rpartition("-")
                found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return sorted(f"{name}=={version}" for name, version in found.items())


def interpreter() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def digest(folders: Iterable[Path] | None = None) -> str:
    """SHA-256 over the interpreter and its packages: the same wherever the same ones are installed."""
    return fingerprint.of_text(interpreter(), *packages(map(Path, sys.path) if folders is None else folders))

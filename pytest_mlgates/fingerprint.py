"""Digests of files and folders."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

#: MLflow writes this file next to a model when it downloads a version, so it is no part of the model.
WRITTEN_BY_DOWNLOAD = "registered_model_meta"


def of_file(file: Path, algorithm: str = "sha256") -> str:
    """Hex digest of a file's bytes, read in pieces. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def of_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of every file below `folder`, in order of name. Raises OSError."""
    whole = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if name != WRITTEN_BY_DOWNLOAD:
            whole.update(f"{name}\0{of_file(file)}\n".encode())
    return whole.hexdigest()


def of_text(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def of_environment() -> str:
    """SHA-256 over the interpreter and the names and versions of what is installed beside it.

    Reads the names of the metadata folders only: opening 200 of them would cost more than scoring does.
    """
    names = {entry.name for folder in map(Path, sys.path) if folder.is_dir() for entry in folder.glob("*.dist-info")}
    return of_text(sys.version, *sorted(names))

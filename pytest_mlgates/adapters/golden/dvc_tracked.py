"""Everything that DVC tracks in a folder: how large, pinned when, and whether it is here as pinned. Needs no DVC."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pytest_mlgates.adapters.golden.git_command import answer

#: Folders that hold no pointers of the repository's own.
_SKIPPED = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """`size` in bytes and `pinned` in seconds since 1970, None where not known; `same` is None for a file that is not
    here, and for a folder."""

    path: Path
    size: int | None
    pinned: float | None
    same: bool | None


class DvcTracked:
    """Remembers what it hashed, by size and time of change, so that asking often costs little."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._hashed: dict[Path, tuple[tuple[int, int, int], str]] = {}

    def all(self) -> list[TrackedFile]:
        return [found for pointer in sorted(self._pointers()) for found in self._of(pointer)]

    def _pointers(self) -> Iterator[Path]:
        for folder, names, files in os.walk(self.base):
            names[:] = [name for name in names if not name.startswith(".") and name not in _SKIPPED]
            yield from (Path(folder) / name for name in files if name.endswith(".dvc"))

    def _of(self, pointer: Path) -> Iterator[TrackedFile]:
        try:
            outs = yaml.safe_load(pointer.read_text(encoding="utf-8"))["outs"]
            told = [(pointer.parent / str(out["path"]), str(out["md5"]), out.get("size")) for out in outs]
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
            return
        time = (answer(pointer.parent, "log", "-1", "--format=%ct", "--", pointer.name) or "").strip()
        for path, md5, size in told:
            size = size if isinstance(size, int) else None
            yield TrackedFile(path, size, float(time) if time.isdecimal() else None, self._same(path, md5, size))

    def _same(self, path: Path, md5: str, size: int | None) -> bool | None:
        try:
            stat = path.stat()
            if md5.endswith(".dir") or not path.is_file():
                return None
            if size is not None and stat.st_size != size:
                return False
            mark = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            known = self._hashed.get(path)
            if known is None or known[0] != mark:
                with path.open("rb") as stream:
                    known = (mark, hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest())
                self._hashed[path] = known
        except OSError:
            return None
        return known[1] == md5

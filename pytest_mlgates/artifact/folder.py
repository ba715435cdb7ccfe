"""A model version's folder: every file hashed and read, nothing loaded."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates import fingerprint
from pytest_mlgates.artifact import formats, mlmodel, texts
from pytest_mlgates.artifact.allowed import Allowed
from pytest_mlgates.artifact.archives import Budget
from pytest_mlgates.artifact.problem import Damaged, Problem, Refused

_MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Scan:
    """`digest` as `fingerprint.of_folder` gives it, over the bytes that were read; `problems` in order of files."""

    digest: str
    files: int
    size: int
    flavours: tuple[str, ...]
    problems: tuple[Problem, ...]

    def untrusted(self, trusted: Collection[str]) -> tuple[Problem, ...]:
        """What remains when the settings vouch for some digests; no digest vouches for links and bombs."""
        if self.digest not in trusted:
            return self.problems
        return tuple(problem for problem in self.problems if problem.kind == "place")


def scan(folder: Path, *, extra: Collection[str] = (), packages: Sequence[Path] = ()) -> Scan:
    """Read every file below `folder`. `extra` are dotted names the settings allow, `packages` where packages lie.

    Memory stays bounded: files are mapped and read in pieces. Raises OSError when something cannot be read.
    """
    problems: list[Problem] = []
    files = list(_files(folder, problems))
    documents = {name: _document(folder / name, name, problems) for name in files if _is_mlmodel(name)}
    flavours = tuple(dict.fromkeys(f for document in documents.values() for f in _flavours(document)))
    if "MLmodel" not in documents:
        problems.append(Problem("format", "MLmodel", "there is none, so what loads this model is not known"))
    allowed = Allowed(flavours, extra, packages)
    roles = _described(documents, allowed, files, problems)
    whole, size = hashlib.sha256(), 0
    for name in files:
        path = folder / name
        size += path.stat().st_size
        if name != fingerprint.WRITTEN_BY_DOWNLOAD:
            whole.update(f"{name}\0{fingerprint.of_file(path)}\n".encode())
        reading = formats.Reading(allowed, frozenset(flavours), Budget(), roles.get(name, ""))
        problem = _read(path, name, reading)
        if problem is not None:
            problems.append(problem)
    return Scan(whole.hexdigest(), len(files), size, flavours, tuple(problems))


def _files(folder: Path, problems: list[Problem]) -> Iterator[str]:
    """Names of plain files in the order of the digest; whatever else is there is a problem."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            mode = path.lstat().st_mode
            shown = path.relative_to(folder).as_posix()
            if stat.S_ISLNK(mode):
                problems.append(Problem("place", shown, "it is a link"))
            elif stat.S_ISREG(mode):
                found.append(path)
            elif not stat.S_ISDIR(mode):
                problems.append(Problem("place", shown, "it is no plain file"))
        if len(found) > _MOST_FILES:
            problems.append(Problem("place", ".", f"it has more than {_MOST_FILES} files"))
            break
    for path in sorted(found):
        yield path.relative_to(folder).as_posix()


def _is_mlmodel(name: str) -> bool:
    return name.rpartition("/")[2] == "MLmodel"


def _document(path: Path, name: str, problems: list[Problem]) -> object:
    try:
        document = texts.read_yaml(memoryview(path.read_bytes()))
        mlmodel.flavours_of(document)
    except Refused as refused:
        problems.append(Problem(refused.kind, name, refused.reason))
        return None
    return document


def _flavours(document: object) -> tuple[str, ...]:
    return mlmodel.flavours_of(document) if document is not None else ()


def _described(
    documents: dict[str, object], allowed: Allowed, files: Sequence[str], problems: list[Problem]
) -> dict[str, mlmodel.Role]:
    roles: dict[str, mlmodel.Role] = {}
    present = set(files)
    for name, document in documents.items():
        if document is None:
            continue
        described = mlmodel.describe(document, allowed)
        problems += [Problem(refused.kind, name, refused.reason) for refused in described.problems]
        base = name.removesuffix("MLmodel")
        for file, role in described.roles.items():
            roles[base + file] = role
            if base + file not in present and role != "torch":
                problems.append(Problem("format", name, f"it names {file}, which is not there"))
    return roles


def _read(path: Path, name: str, reading: formats.Reading) -> Problem | None:
    try:
        with path.open("rb") as stream:
            if not path.stat().st_size:
                formats.read(memoryview(b""), name, reading)
                return None
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        formats.read(memoryview(mapped), name, reading)
    except Refused as refused:
        return Problem(refused.kind, name, refused.reason)
    except (RecursionError, MemoryError, OverflowError):
        return Problem("format", name, Damaged("it cannot be read to its end").reason)
    return None

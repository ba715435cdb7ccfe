"""Lock files in TOML: uv.lock, poetry.lock, pdm.lock and pylock.toml (PEP 751)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock.lock import Lock, Package, made


def read_table(text: str, place: str) -> Lock:
    """Raises UsageError for TOML that is none of them."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"{place} is not valid TOML: {problem}") from None
    try:
        if "lock-version" in document:
            return made(map(_of_pylock, document["packages"]), place)
        metadata = document.get("metadata", {})
        if "content-hash" in metadata or "content_hash" in metadata:  # poetry and pdm
            return made(map(_of_files, document.get("package", [])), place)
        if "version" in document and isinstance(document.get("package"), list):
            return made(_of_uv(document["package"]), place)
    except (KeyError, TypeError, AttributeError) as problem:
        raise UsageError(f"{place} looks like a lock file but cannot be read: {problem!r} is missing or odd") from None
    raise UsageError(f"{place} is no uv.lock, poetry.lock, pdm.lock or pylock.toml: its form is unknown")


def _of_uv(entries: list[Mapping[str, Any]]) -> Iterator[Package]:
    for entry in entries:
        source = entry.get("source", {})
        if source.get("virtual") or source.get("editable") == ".":
            continue  # the project itself
        origin = next((f"{kind} {source[kind]}" for kind in ("git", "path", "directory", "url") if kind in source), "")
        origin = "editable" if "editable" in source else origin
        files = [*entry.get("wheels", []), *([entry["sdist"]] if "sdist" in entry else [])]
        yield Package(entry["name"], entry.get("version", "0"), _hashes(file.get("hash") for file in files), origin)


def _of_files(entry: Mapping[str, Any]) -> Package:
    """Poetry's `source`, pdm's `git`, `path`, `url` and `editable`; both list `files`."""
    source = entry.get("source", {})
    origin = (
        f"{source.get('type')} {source.get('url')}" if source.get("type") in ("git", "directory", "file", "url") else ""
    )
    origin = origin or next((f"{kind} {entry[kind]}" for kind in ("git", "path", "url") if kind in entry), "")
    origin = "editable" if entry.get("editable") or entry.get("develop") else origin
    files = entry.get("files", [])
    return Package(entry["name"], entry["version"], _hashes(file.get("hash") for file in files), origin)


def _of_pylock(entry: Mapping[str, Any]) -> Package:
    directory, vcs = entry.get("directory"), entry.get("vcs")
    origin = f"{vcs.get('type', 'git')} {vcs.get('url', '')}" if vcs else ""
    if directory is not None:
        origin = "editable" if directory.get("editable") else f"path {directory.get('path', '')}"
    files = [*entry.get("wheels", []), *(entry[kind] for kind in ("sdist", "archive") if kind in entry)]
    hashes = [f"{name}:{value}" for file in files for name, value in file.get("hashes", {}).items()]
    return Package(entry["name"], entry.get("version", "0"), tuple(hashes), origin)


def _hashes(found: Any) -> tuple[str, ...]:
    return tuple(one for one in found if one)

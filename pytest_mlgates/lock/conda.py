"""conda-lock's YAML."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock.lock import Lock, Package, made

#: Conda's platforms as every other lock here names them.
_PLATFORMS = {
    "linux-64": "linux x86_64",
    "linux-aarch64": "linux aarch64",
    "osx-64": "darwin x86_64",
    "osx-arm64": "darwin arm64",
    "win-64": "windows amd64",
}


def read_conda(text: str, place: str) -> Lock:
    """The packages of its one platform. Raises UsageError when it has several or is no conda-lock."""
    import yaml

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        raise UsageError(f"{place} is not valid YAML") from None
    entries = document.get("package") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{place} is no conda-lock file: its form is unknown")
    platforms = sorted({str(entry.get("platform", "")) for entry in entries})
    if len(platforms) > 1:
        said = ", ".join(platforms)
        raise UsageError(f"{place} locks several platforms ({said}): `conda-lock lock --platform linux-64` gives one")
    try:
        packages = [_package(entry) for entry in entries]
    except (KeyError, TypeError):
        raise UsageError(f"{place} looks like a conda-lock file but an entry has no name or version") from None
    python = next((p.version for p in packages if p.name == "python"), "")
    platform = _PLATFORMS.get(platforms[0], platforms[0])
    return made(packages, place, platform=platform, python=f"CPython {python}" if python else "")


def _package(entry: dict[str, Any]) -> Package:
    hashes = tuple(f"{name}:{value}" for name, value in (entry.get("hash") or {}).items())
    return Package(str(entry["name"]), str(entry["version"]), hashes)

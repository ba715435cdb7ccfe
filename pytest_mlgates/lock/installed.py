"""The environment of this process as a lock, and what of it a package imports."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

from pytest_mlgates.lock.lock import Lock, Package, canonical_name, made


def installed(folders: Sequence[Path] | None = None) -> Lock:
    """What is installed in `folders` (default: what this process imports from). Of a package that is there twice the
    first counts, as for an import. Raises UsageError when nothing is installed.
    """
    found: dict[str, Package] = {}
    for one in _distributions(folders):
        name = canonical_name(one.metadata["Name"] or "")
        if name and name not in found:
            found[name] = Package(name, one.version, origin=_origin(one))
    return made(found.values(), "this environment", python=python(), platform=system())


def python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def system() -> str:
    return f"{platform.system()} {platform.machine()}".lower()


def closure(names: Iterable[str], folders: Sequence[Path] | None = None) -> frozenset[str]:
    """`names` and all they require here, extras left out: what a model that imports them imports."""
    known = {canonical_name(one.metadata["Name"] or ""): one for one in _distributions(folders)}
    reached: set[str] = set()
    waiting = [canonical_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for line in (known[name].requires or []) if name in known else []:
            if "extra ==" not in line:
                waiting.append(canonical_name(re.split(r"[\s\[<>=!~;(]", line.strip(), maxsplit=1)[0]))
    return frozenset(reached)


def _distributions(folders: Sequence[Path] | None) -> Iterable[Distribution]:
    return distributions() if folders is None else distributions(path=[str(folder) for folder in folders])


def _origin(one: Distribution) -> str:
    """As PEP 610 records it."""
    text = one.read_text("direct_url.json")
    if not text:
        return ""
    try:
        said = json.loads(text)
        if said.get("dir_info", {}).get("editable"):
            return "editable"
        vcs = said.get("vcs_info", {})
        kind = vcs.get("vcs") or ("path" if said["url"].startswith("file:") else "url")
        return f"{kind} {said['url']}"
    except (ValueError, KeyError, AttributeError):
        return "url unknown"

"""A resolved environment, and its one canonical form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.errors import UsageError

#: The version's tag that holds the digest of its lock.
TAG = "mlgates.lock"
#: Of the form that `mlgates lock` writes.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Package:
    """`version` is exact, or a range where the lock gives no more; `hashes` as ``sha256:...``; `origin` says what is
    installed from elsewhere than an index: "editable", "git ...", "path ...", "url ...".
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    origin: str = ""

    @property
    def exact(self) -> bool:
        return bool(self.version) and not re.search(r"[<>=!~*,]", self.version)


@dataclass(frozen=True, slots=True)
class Lock:
    """`python` and `platform` are "" where the lock does not say; `image` is a container image's digest."""

    packages: tuple[Package, ...]
    python: str = ""
    platform: str = ""
    image: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over every fact, in one order: equal to the last bit or another environment."""
        return hashlib.sha256(self._canonical().encode()).hexdigest()

    def text(self) -> str:
        """As `mlgates lock` writes it, for people and for `read_lock`."""
        return json.dumps(json.loads(self._canonical()), indent=1, sort_keys=True) + "\n"

    def versions(self) -> dict[str, Package]:
        return {package.name: package for package in self.packages}

    def loose(self) -> tuple[str, ...]:
        """What does not pin its bytes, a sentence each."""
        said = []
        for package in self.packages:
            if package.origin:
                said.append(f"{package.name} is installed from elsewhere than an index ({package.origin})")
            elif not package.exact:
                said.append(f"{package.name} is given as a range ({package.version or 'any version'})")
            elif not package.hashes:
                said.append(f"{package.name} {package.version} has no hash")
        return tuple(said)

    def _canonical(self) -> str:
        facts: dict[str, Any] = {"mlgates_lock": VERSION, **asdict(self)}
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def made(packages: Iterable[Package], place: str, **facts: str) -> Lock:
    """A lock of these packages in canonical order. Raises UsageError when one name has two versions."""
    found: dict[str, Package] = {}
    for package in packages:
        name = canonical_name(package.name)
        fresh = Package(name, package.version.strip(), tuple(sorted(set(package.hashes))), package.origin)
        before = found.get(name)
        if before is not None and before.version != fresh.version:
            raise UsageError(
                f"{place} pins {name} twice, {before.version} and {fresh.version}: export what one platform installs, "
                "e.g. `uv export --format requirements-txt`, or run `mlgates lock` where the model is trained"
            )
        if before is not None:
            fresh = Package(name, fresh.version, tuple(sorted({*before.hashes, *fresh.hashes})), fresh.origin)
        found[name] = fresh
    if not found:
        raise UsageError(f"{place} names no packages")
    return Lock(tuple(found[name] for name in sorted(found)), **facts)


def canonical_name(name: str) -> str:
    """As PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).strip().lower()


def own_form(document: Any, place: str) -> Lock:
    """What `Lock.text` wrote. Raises UsageError."""
    try:
        if document["mlgates_lock"] != VERSION:
            raise UsageError(f"{place} was written by a newer pytest-mlgates: update it here")
        packages = [Package(p["name"], p["version"], tuple(p["hashes"]), p["origin"]) for p in document["packages"]]
        facts = {key: str(document[key]) for key in ("python", "platform", "image")}
    except (KeyError, TypeError):
        raise UsageError(f"{place} is no lock of `mlgates lock`: a fact is missing") from None
    return made(packages, place, **facts)

"""How two environments differ, the packages that the model imports first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pytest_mlgates.lock.lock import Lock, Package

#: Facts beside packages; where one side does not say, they cannot differ, which the caller tells.
FACTS = ("python", "platform", "image")


@dataclass(frozen=True, slots=True)
class Difference:
    """`old` is the training side, `new` the other; "" where it is absent."""

    name: str
    old: str
    new: str
    imported: bool

    def __str__(self) -> str:
        return f"{self.name} {self.old or 'absent'} -> {self.new or 'absent'}"


def differences(old: Lock, new: Lock, imported: Collection[str] = ()) -> tuple[Difference, ...]:
    """Every fact that differs, in the order: interpreter and platform, what the model imports, the rest."""
    found = [
        Difference(fact, getattr(old, fact), getattr(new, fact), True)
        for fact in FACTS
        if getattr(old, fact) and getattr(new, fact) and getattr(old, fact) != getattr(new, fact)
    ]
    before, after = old.versions(), new.versions()
    packages = [
        Difference(name, _shown(before.get(name)), _shown(after.get(name)), name in imported)
        for name in sorted({*before, *after})
        if not _same(before.get(name), after.get(name))
    ]
    return (*found, *sorted(packages, key=lambda one: not one.imported))


def unsaid(old: Lock, new: Lock) -> tuple[str, ...]:
    """The facts that one of the two does not say, so that they could not be compared."""
    return tuple(fact for fact in FACTS[:2] if not (getattr(old, fact) and getattr(new, fact)))


def _same(old: Package | None, new: Package | None) -> bool:
    if old is None or new is None or old.version != new.version or old.origin != new.origin:
        return False
    # Two lock files may list the hashes of different wheels; with none in common they are different files.
    return not old.hashes or not new.hashes or bool(set(old.hashes) & set(new.hashes))


def _shown(package: Package | None) -> str:
    if package is None:
        return ""
    if package.origin:
        return f"{package.version} ({package.origin})"
    return package.version + (f" ({package.hashes[0][:19]})" if package.hashes else "")

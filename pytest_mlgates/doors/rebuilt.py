"""A recorded environment, built again from its lock and held against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.adapters.scoring import uv_environment
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.lock import Lock
from pytest_mlgates.lock.installed import installed
from pytest_mlgates.lock.requested import requested


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`has` are the names of its packages, `left_out` those of the lock that no index has, each with where from."""

    folder: Path
    has: frozenset[str]
    left_out: tuple[str, ...]

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def rebuilt(lock: Lock, folder: Path, place: str) -> Rebuilt:
    """The environment of `lock` below `folder`, built when it is not there yet; `place` names the lock in sentences.

    Raises CouldNotEvaluate when it cannot be built, or is not what the lock says.
    """
    try:
        wanted = requested(lock, place)
    except UsageError as problem:
        raise CouldNotEvaluate(str(problem)) from None
    made = uv_environment.built(folder, lock.digest[:32], wanted.lines, wanted.interpreter, hashed=wanted.hashed)
    try:
        found = installed(sorted(made.glob("lib/python*/site-packages"))).versions()
    except UsageError:
        found = {}
    for package in lock.packages:
        here = found[package.name].version if package.name in found else "absent"
        if not package.origin and here != package.version:
            raise CouldNotEvaluate(
                f"the environment built from {place} is another one: {package.name} {package.version} -> {here}; "
                f"delete {made} to build it anew"
            )
    return Rebuilt(made, frozenset(found), wanted.left_out)

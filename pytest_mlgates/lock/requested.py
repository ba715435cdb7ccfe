"""A lock as an installer takes it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock.installed import python, system
from pytest_mlgates.lock.lock import Lock


@dataclass(frozen=True, slots=True)
class Requested:
    """`lines` as requirements.txt has them, `hashed` whether every one has its hashes; `left_out` are packages that no
    index has; `interpreter` is as uv names one, "" for the one that runs here.
    """

    lines: tuple[str, ...]
    hashed: bool
    left_out: tuple[str, ...]
    interpreter: str


def requested(lock: Lock, place: str) -> Requested:
    """Raises UsageError for a lock that is not exact, or of another platform."""
    if lock.platform and lock.platform != system():
        raise UsageError(f"{place} is of {lock.platform}, and this is {system()}: what it names cannot be built here")
    loose = [one for one in lock.packages if not one.origin and not one.exact]
    if loose:
        raise UsageError(f"{place} gives {loose[0].name} as a range ({loose[0].version or 'any version'}): lock it")
    kept = [one for one in lock.packages if not one.origin]
    if not kept:
        raise UsageError(f"{place} names no package that an index has")
    lines = tuple(" ".join([f"{one.name}=={one.version}", *(f"--hash={h}" for h in one.hashes)]) for one in kept)
    left_out = tuple(f"{one.name} ({one.origin})" for one in lock.packages if one.origin)
    here = not lock.python or lock.python == python()
    interpreter = "" if here else "@".join(lock.python.lower().split(" ", 1))
    return Requested(lines, all(one.hashes for one in kept), left_out, interpreter)

"""The lock a version records: its text is kept with its run, its digest stands on the version."""

from __future__ import annotations

from pytest_mlgates.lock.lock import Lock
from pytest_mlgates.lock.read import read_lock


def believed(version: str, number: str, said: str, text: str | None) -> Lock | str:
    """The lock, or why none can be believed: `said` is the digest on the version, `text` what its run has.

    Raises UsageError for a text that is no lock.
    """
    said = said.strip()
    if not said:
        return f"{version} records no lock: run `mlgates lock {number}` where it is trained"
    if text is None:
        return f"the lock of {version} is gone from its run: only its digest {said[:12]} is left"
    lock = read_lock(text, f"the lock of {version}")
    if not isinstance(lock, Lock) or lock.digest != said:
        return f"the lock of {version} was changed since it was recorded: its digest is not {said[:12]}"
    return lock

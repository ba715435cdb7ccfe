"""Living processes, and waiting for something to become true."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def group(leader: int) -> list[int]:
    """Living processes of a process group, in order."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(group) == leader and state not in "ZX":
            found.append(int(stat.parent.name))
    return sorted(found)


def until(true: Callable[[], object], seconds: float = 20) -> bool:
    """Whether it comes true in time; ends as soon as it does."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True

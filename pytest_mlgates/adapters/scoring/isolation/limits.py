"""Limits that every Unix has: memory, processor time, the length of a file."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path
from typing import Any

_LARGEST_FILE = 1 << 30
_MOST_FILES = 4096


def limit(plan: dict[str, Any]) -> None:
    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_FSIZE, _LARGEST_FILE)
    at_most(resource.RLIMIT_NOFILE, _MOST_FILES)
    if plan["seconds"]:
        at_most(resource.RLIMIT_CPU, int(plan["seconds"]))
    if plan["memory"]:
        at_most(resource.RLIMIT_DATA, int(plan["memory"]))
        # Graphics drivers reserve terabytes of addresses; elsewhere addresses are bounded as well.
        if not list(Path("/dev").glob("nvidia*")):
            at_most(resource.RLIMIT_AS, int(plan["memory"]) + _addresses())


def at_most(which: int, value: int) -> None:
    """Soft and hard alike, so that it cannot be lifted again."""
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def _addresses() -> int:
    """Bytes of address space in use."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 1 << 33

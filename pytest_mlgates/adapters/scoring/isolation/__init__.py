"""Takes from this process what a model has no need of: network, other files, other processes, signals, endless memory.

Only the standard library, and Linux's own means by `ctypes`: Landlock for files and signals (Linux 5.13 and later), a
filter of system calls, namespaces, limits. It is loaded by its path where models run, where nothing of the gate is on
the path, so its modules import each other relatively.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
from pathlib import Path
from typing import Any

from .landlock import landlock
from .limits import limit
from .namespaces import drop_capabilities, unshared
from .noted import watch
from .python_calls import refuse_calls
from .readable import packages
from .system_calls import filtered

__all__ = ["PROTECTIONS", "confine", "packages", "watch"]

#: What a child must not be able to do, in the words of the report.
PROTECTIONS = ("network", "writing", "reading", "processes", "signals", "memory", "shared memory")

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def confine(plan: dict[str, Any]) -> dict[str, str]:
    """Apply what can be had; for each of PROTECTIONS that is missing, why.

    `plan`: `read` (folders and files the model may read), `write` (its own folder first), `memory` (bytes, 0 for no
    limit), `seconds` (of processor time, 0 for no limit), `ports` (TCP ports it may connect to), `processes` (whether
    it may start any). Cannot be undone.
    """
    missing: dict[str, str] = {}
    limit(plan)
    if not sys.platform.startswith("linux"):
        refuse_calls(plan)
        why = f"{sys.platform} has no means for it; Python's own calls are refused"
        return dict.fromkeys(("network", "writing", "reading", "processes", "signals"), why)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # short of memory, the kernel ends the model first
    if not unshared(libc, plan):
        missing["shared memory"] = "this machine gives no namespace of mounts, so models share /dev/shm"
    drop_capabilities(libc)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    without = landlock(libc, plan)
    for name in ("writing", "reading", "signals") if without else ():
        missing[name] = without
    without = filtered(libc, plan)
    for name in ("network", "processes") if without else ():
        missing[name] = without
    if missing.get("signals") and not without:
        del missing["signals"]  # the filter allows signals to oneself only
    if missing:
        refuse_calls(plan)
    return missing

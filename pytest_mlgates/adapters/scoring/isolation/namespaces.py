"""Namespaces of the model's own, and no capabilities."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from typing import Any

SHARED = "/dev/shm"
_PR_CAPBSET_DROP = 24
_CLONE_NEWNET, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNS = 0x40000000, 0x08000000, 0x10000000, 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 1 << 14, 1 << 18
_CAP_DAC_READ_SEARCH = 2


def unshared(libc: Any, plan: dict[str, Any]) -> bool:
    """Whether it now has a /dev/shm of its own, which locks of joblib and multiprocessing need, and a folder of its own
    in memory: what it writes there fills no disk, and no link in it is ever followed by others.
    """
    wanted = _CLONE_NEWIPC | _CLONE_NEWNS | (0 if plan["ports"] else _CLONE_NEWNET)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(wanted) != 0:
        if libc.unshare(wanted | _CLONE_NEWUSER) != 0:
            return False
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    if libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return False
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    own = os.fsencode(plan["write"][0])
    libc.mount(b"tmpfs", own, b"tmpfs", flags, b"size=1g,mode=0700")
    return bool(libc.mount(b"tmpfs", SHARED.encode(), b"tmpfs", flags, b"size=512m,mode=1777") == 0)


def drop_capabilities(libc: Any) -> None:
    """Root keeps the right to read, which Landlock narrows, and loses every other."""
    for capability in range(64):
        if capability != _CAP_DAC_READ_SEARCH and libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = struct.pack("<Ii", 0x20080522, 0)
    kept = 1 << _CAP_DAC_READ_SEARCH if os.geteuid() == 0 else 0
    libc.capset(header, struct.pack("<6I", kept, kept, 0, 0, 0, 0))

"""Landlock: which files may be read, the one folder that may be written, whom a signal may reach."""

from __future__ import annotations

import os
import struct
from typing import Any

from .namespaces import SHARED
from .readable import accelerators, readable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE = sum(1 << bit for bit in (4, 5, 6, 7, 8, 9, 10, 11, 12))
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_BIND, _CONNECT = 1, 2
_SCOPE_SOCKET, _SCOPE_SIGNAL = 1, 2
_LEAST_ABI = 1
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def landlock(libc: Any, plan: dict[str, Any]) -> str:
    """Why it cannot be had, or ""."""
    abi = libc.syscall(_CREATE, None, 0, 1)
    if abi < _LEAST_ABI:
        return "this kernel has no Landlock"
    files = _EXECUTE | _WRITE | _READ_FILE | _READ_DIR | _MAKE
    files |= (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL if abi >= 5 else 0)
    network = _BIND | _CONNECT if abi >= 4 else 0
    scoped = _SCOPE_SOCKET | _SCOPE_SIGNAL if abi >= 6 else 0
    attributes = struct.pack("<QQQ", files, network, scoped)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = libc.syscall(_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return "Landlock is switched off here"
    read = _EXECUTE | _READ_FILE | _READ_DIR
    for place in readable(plan["read"]):
        _allow(libc, ruleset, place, read)
    for place in (*_DEVICES, *accelerators()):
        _allow(libc, ruleset, place, (read | _WRITE | _IOCTL) & files)
    for place in (*plan["write"], SHARED):
        _allow(libc, ruleset, place, files & ~_EXECUTE)
    for port in plan["ports"] if network else ():
        libc.syscall(_ADD, ruleset, 2, struct.pack("<QQ", _CONNECT, port), 0)
    if libc.syscall(_RESTRICT, ruleset, 0) != 0:
        return "Landlock refused the restriction"
    os.close(ruleset)
    return ""


def _allow(libc: Any, ruleset: int, place: str, access: int) -> None:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(place):  # noqa: PTH112 - a plain string, many times
        access &= _EXECUTE | _READ_FILE | _WRITE | _IOCTL | _TRUNCATE
    libc.syscall(_ADD, ruleset, 1, struct.pack("<Qi", access, handle), 0)
    if not place.startswith("/proc"):  # an entry of /proc is only the same while somebody holds it
        os.close(handle)

"""The filter of system calls. Each entry has its numbers on x86-64 and on ARM64."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Any

from .filter import ALLOWED, Line, by_argument, error, if_equal, kill, load, refuse, unless_equal
from .readable import accelerators

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP = 1, 22
_CLONE_THREAD = 0x00010000
_EPERM, _EAGAIN, _ENOSYS = 1, 11, 38
_NONE = -1

_NETWORK = {"connect": (42, 203), "bind": (49, 200)}
_SOCKET = (41, 198)
#: Families and kinds that stay when some ports are allowed: local and IP sockets, streams and datagrams.
_FAMILIES, _KINDS = (1, 2, 10), (1, 2)
_REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "syslog": (103, 116),
    "acct": (163, 89),
    "personality": (135, 92),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "inotify_init": (253, _NONE),
    "inotify_init1": (294, 26),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "ioprio_set": (251, 30),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    # Landlock holds what is in a file, not what is said about it.
    "chmod": (90, _NONE),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, _NONE),
    "lchown": (94, _NONE),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, _NONE),
    "utimes": (235, _NONE),
    "futimesat": (261, _NONE),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
#: Refused unless the plan allows processes.
_PROCESSES = {"fork": (57, _NONE), "vfork": (58, _NONE)}
_PROGRAMS = {"execve": (59, 221), "execveat": (322, 281)}
#: Memory that no limit of a process counts; libraries that ask for it have another way when it is not there.
_UNCOUNTED = {"memfd_create": (319, 279), "memfd_secret": (447, 447)}
#: Of others' schedules: the first argument is a process, and must be this one.
_SCHEDULES = {
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
_SETPRIORITY = (141, 140)
#: Commands that send signals through a descriptor, or type into a terminal.
_FCNTL, _COMMANDS = (72, 25), (8, 10, 15)
_IOCTL, _REQUESTS = (16, 29), (0x8901, 0x8902, 0x5412, 0x541C)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_PRCTL, _PRLIMIT = (157, 167), (302, 261)
_KILL, _TKILL, _TGKILL = (62, 129), (200, 130), (234, 131)


def filtered(libc: Any, plan: dict[str, Any]) -> str:
    """Why it cannot be had, or ""."""
    if platform.machine() not in _ARCHITECTURES or struct.calcsize("P") != 8:
        return f"no filter of system calls is written for {platform.machine()}"
    lines = program(plan, platform.machine(), os.getpid(), accelerated=bool(accelerators()))
    kept = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in lines))
    described = struct.pack("@HxxxxxxP", len(lines), ctypes.addressof(kept))
    if libc.prctl(_PR_SET_SECCOMP, 2, described, 0, 0) != 0:
        return "this kernel has no filter of system calls"
    return ""


def program(plan: dict[str, Any], machine: str, own: int, *, accelerated: bool) -> list[Line]:
    """Load the call's number, compare, refuse; arguments are compared where they matter. `own` is this process."""
    audit, column = _ARCHITECTURES[machine]
    lines = [load(4), unless_equal(audit, 1), kill(), load(0)]
    if column == 0:
        lines += [(0x35, 0, 1, 0x40000000), kill()]  # the x32 calls
    for numbers in _REFUSED.values():
        lines += refuse(numbers[column], _EPERM)
    lines += _network(plan, column) + _memory(column, accelerated) + _others(column, own)
    if not plan["processes"]:
        lines += _alone(column, own)
    lines += [(0x06, 0, 0, ALLOWED)]
    return lines


def _network(plan: dict[str, Any], column: int) -> list[Line]:
    if plan["ports"]:
        family, kind = by_argument(0, _FAMILIES, others=_EPERM), by_argument(1, _KINDS, others=_EPERM, mask=0xF)
        return refuse(_SOCKET[column], test=family) + refuse(_SOCKET[column], test=kind)
    return [line for numbers in (_SOCKET, *_NETWORK.values()) for line in refuse(numbers[column], _EPERM)]


def _memory(column: int, accelerated: bool) -> list[Line]:
    """Drivers of graphics cards need it."""
    if accelerated:
        return []
    return [line for numbers in _UNCOUNTED.values() for line in refuse(numbers[column], _ENOSYS)]


def _others(column: int, own: int) -> list[Line]:
    """Nobody else's limits, schedule or signals."""
    lines = refuse(_PRCTL[column], test=by_argument(0, (_PR_SET_PDEATHSIG,), these=_EPERM))
    lines += refuse(_PRLIMIT[column], test=by_argument(0, (0, own), others=_EPERM))
    for numbers in _SCHEDULES.values():
        lines += refuse(numbers[column], test=by_argument(0, (0, own), others=_EPERM))
    lines += refuse(_SETPRIORITY[column], test=by_argument(0, (0,), others=_EPERM))
    lines += refuse(_SETPRIORITY[column], test=by_argument(1, (0, own), others=_EPERM))
    lines += refuse(_FCNTL[column], test=by_argument(1, _COMMANDS, these=_EPERM))
    lines += refuse(_IOCTL[column], test=by_argument(1, _REQUESTS, these=_EPERM))
    return lines


def _alone(column: int, own: int) -> list[Line]:
    """No process is started. Threads are clones with CLONE_THREAD; without it, it is a process."""
    lines = [line for numbers in _PROCESSES.values() for line in refuse(numbers[column], _EAGAIN)]
    lines += [line for numbers in _PROGRAMS.values() for line in refuse(numbers[column], _EPERM)]
    lines += refuse(_CLONE3[column], _ENOSYS)
    lines += refuse(_CLONE[column], test=[load(16), (0x45, 1, 0, _CLONE_THREAD), error(_EPERM)])
    lines += refuse(_TKILL[column], _EPERM)
    for numbers in (_KILL, _TGKILL):
        lines += refuse(numbers[column], test=[load(16), if_equal(own, 1, 0), error(_EPERM)])
    return lines

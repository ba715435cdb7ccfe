"""What a model tries although it may not, for the report. Python tells of its own calls; code in C can do without."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

from .readable import readable

#: Attempts that are told of one process.
MOST = 20
#: Numbers of processes differ from run to run.
_PROCESS = re.compile(r"^/proc/\d+")
#: What is asked of a machine while importing, or to count its cores, and means nothing.
_HARMLESS = (
    *("urllib3.util.connection", "platform", "uuid", "ctypes.util"),
    "joblib.externals.loky.backend.context",
)
_STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
_SIGNALS = ("os.kill", "os.killpg")
_LIMITS = ("resource.setrlimit", "resource.prlimit")
_CHANGES = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate"),
    *("os.utime", "os.setxattr", "os.removexattr", "os.chflags"),
)
_LOOKS = ("os.listdir", "os.scandir")
#: What is tried: the protection that refuses it, and what it is in words.
Tried = tuple[str, str]


def watch(plan: dict[str, Any], missing: dict[str, str], tell: Callable[[dict[str, Any]], None]) -> None:
    """From now on `tell` is called with every new attempt: `what` in words, the `protection` that is against it, and
    whether it is `held`: whether that protection could be had here, or is one of the `missing`.
    """
    seen: set[Tried] = set()
    watched = Watch(plan)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in watched.kinds or len(seen) >= MOST:
            return
        found = watched.kinds[event](event, args)
        if found is None or found in seen or _harmless():
            return
        seen.add(found)
        protection, what = found
        tell({"what": what[:200], "protection": protection, "held": protection not in missing})

    sys.addaudithook(hook)


class Watch:
    """What is refused under a plan, event by event. The same attempt has the same words in every process."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._write = tuple(os.path.realpath(place) + os.sep for place in (*plan["write"], "/dev"))
        self._read = (*self._write, *(os.path.realpath(place) + os.sep for place in readable(plan["read"])))
        # Python and importlib.metadata look into each folder on the path.
        self._path = {os.path.realpath(place) for place in sys.path}
        self._own = os.getpid()
        self.kinds: dict[str, Callable[[str, tuple[Any, ...]], Tried | None]] = {"open": self._open}
        if not plan["ports"]:
            self.kinds |= {"socket.__new__": lambda event, args: ("network", "to open a socket")}
            self.kinds |= {"socket.getaddrinfo": lambda event, args: ("network", f"to look up the name {args[0]}")}
        if not plan["processes"]:
            starts = dict.fromkeys(_STARTS, lambda event, args: ("processes", f"to start a process ({event})"))
            self.kinds |= starts
        self.kinds |= dict.fromkeys(_SIGNALS, self._signal)
        self.kinds |= dict.fromkeys(_LIMITS, lambda event, args: ("memory", "to change a limit"))
        self.kinds |= dict.fromkeys(_CHANGES, self._change)
        self.kinds |= dict.fromkeys(_LOOKS, self._look)

    def _open(self, event: str, args: tuple[Any, ...]) -> Tried | None:
        place, mode, flags = args
        if not isinstance(place, (str, bytes, os.PathLike)):
            return None
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        writes = writes or (isinstance(mode, str) and bool(set(mode) & set("wax+")))
        return self._outside("writing", "to write", place, self._write) if writes else self._look(event, args)

    def _change(self, event: str, args: tuple[Any, ...]) -> Tried | None:
        places = args[1:2] if event == "os.symlink" else args[:2]
        found = (self._outside("writing", "to change", one, self._write) for one in places if not isinstance(one, int))
        return next(filter(None, found), None)

    def _look(self, event: str, args: tuple[Any, ...]) -> Tried | None:
        """Looking for what is not there is what every library does."""
        place = args[0] if args and args[0] is not None else "."
        known = not isinstance(place, int) and os.path.lexists(place)
        if known and os.path.realpath(os.fsdecode(place)) in self._path:
            return None
        return self._outside("reading", "to read", place, self._read) if known else None

    def _signal(self, event: str, args: tuple[Any, ...]) -> Tried | None:
        """To itself it may send any."""
        if args[0] == self._own and event == "os.kill":
            return None
        whom = "the process above" if args[0] == os.getppid() else "other processes"
        return "signals", f"to send a signal to {whom}"

    def _outside(self, protection: str, what: str, place: Any, inside: tuple[str, ...]) -> Tried | None:
        if not isinstance(place, (str, bytes, os.PathLike)):
            return None
        whole = os.path.realpath(os.fsdecode(place))
        if (whole + os.sep).startswith(inside):
            return None
        return protection, f"{what} {_PROCESS.sub('/proc/PROCESS', whole)}"


def _harmless() -> bool:
    """Whether one of the functions that ask is known for it; the first two frames are this file's."""
    frame: Any = sys._getframe(2)
    for _ in range(6):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") in _HARMLESS:
            return True
        frame = frame.f_back
    return False

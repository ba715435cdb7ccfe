"""What a model tries although it may not, for the report. Python tells of its own calls; code in C can do without."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from .readable import readable

_MOST = 20
#: What is asked of a machine while importing, and means nothing.
_HARMLESS = ("urllib3.util.connection", "platform", "uuid", "ctypes.util")
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


def noted(plan: dict[str, Any]) -> list[str]:
    """A list that grows by a sentence with every new attempt."""
    found: list[str] = []
    watch = Watch(plan)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in watch.kinds or len(found) >= _MOST:
            return
        sentence = watch.kinds[event](event, args)
        if sentence and sentence not in found and not _harmless():
            found.append(sentence[:200])

    sys.addaudithook(hook)
    return found


class Watch:
    """What is refused under a plan, event by event."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._write = tuple(os.path.realpath(place) + os.sep for place in (*plan["write"], "/dev"))
        self._read = (*self._write, *(os.path.realpath(place) + os.sep for place in readable(plan["read"])))
        self.kinds: dict[str, Callable[[str, tuple[Any, ...]], str]] = {"open": self._open}
        if not plan["ports"]:
            self.kinds |= {"socket.__new__": lambda event, args: "to open a socket"}
            self.kinds |= {"socket.getaddrinfo": lambda event, args: f"to look up the name {args[0]}"}
        if not plan["processes"]:
            self.kinds |= {event: lambda event, args: f"to start a process ({event})" for event in _STARTS}
        self.kinds |= {event: lambda event, args: f"to send a signal to process {args[0]}" for event in _SIGNALS}
        self.kinds |= {event: lambda event, args: "to change a limit" for event in _LIMITS}
        self.kinds |= dict.fromkeys(_CHANGES, self._change)
        self.kinds |= dict.fromkeys(_LOOKS, self._look)

    def _open(self, event: str, args: tuple[Any, ...]) -> str:
        place, mode, flags = args
        if not isinstance(place, (str, bytes, os.PathLike)):
            return ""
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        writes = writes or (isinstance(mode, str) and bool(set(mode) & set("wax+")))
        return self._outside("to write", place, self._write) if writes else self._look(event, args)

    def _change(self, event: str, args: tuple[Any, ...]) -> str:
        places = args[1:2] if event == "os.symlink" else args[:2]
        found = (self._outside("to change", one, self._write) for one in places if not isinstance(one, int))
        return next(filter(None, found), "")

    def _look(self, event: str, args: tuple[Any, ...]) -> str:
        """Looking for what is not there is what every library does."""
        place = args[0] if args and args[0] is not None else "."
        known = not isinstance(place, int) and os.path.lexists(place)
        return self._outside("to read", place, self._read) if known else ""

    def _outside(self, what: str, place: Any, inside: tuple[str, ...]) -> str:
        if not isinstance(place, (str, bytes, os.PathLike)):
            return ""
        whole = os.path.realpath(os.fsdecode(place))
        return "" if (whole + os.sep).startswith(inside) else f"{what} {whole}"


def _harmless() -> bool:
    """Whether one of the functions that ask is known for it; the first two frames are this file's."""
    frame: Any = sys._getframe(2)
    for _ in range(4):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") in _HARMLESS:
            return True
        frame = frame.f_back
    return False

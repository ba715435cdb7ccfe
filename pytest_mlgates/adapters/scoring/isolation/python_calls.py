"""Where the kernel has neither: Python's own calls at least. Code in C is not held by this."""

from __future__ import annotations

import os
import sys
from typing import Any

_EVENTS = {
    "network": ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"),
    "processes": ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"),
    "signals": ("os.kill", "os.killpg"),
    "writing": ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink"),
}


def refuse_calls(plan: dict[str, Any]) -> None:
    refused = {event for kind, events in _EVENTS.items() for event in events if not _permitted(kind, plan)}
    own = tuple(os.path.realpath(place) + os.sep for place in plan["write"])

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in refused and not (event.startswith("os.") and args and str(args[0]).startswith(own)):
            raise PermissionError(f"a model may not call {event}")
        if event == "open" and isinstance(args[0], str) and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            place = os.path.realpath(args[0])
            if not (place + os.sep).startswith(own) and place != os.devnull:
                raise PermissionError(f"a model may not write {args[0]}")

    sys.addaudithook(hook)


def _permitted(kind: str, plan: dict[str, Any]) -> bool:
    return bool((kind == "network" and plan["ports"]) or (kind == "processes" and plan["processes"]))

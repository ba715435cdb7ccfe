"""What really holds here: each protection is tried and not assumed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import PROTECTIONS, confine, packages
from .namespaces import SHARED


def proven(own: str, outside: str) -> dict[str, str]:
    """For each of PROTECTIONS that does not hold in a child confined like a model's, why. Confines this process.

    `own` is an empty folder it may write, `outside` one it may not, with a file `secret` in it.
    """
    parent, limit = os.getppid(), 256 << 20
    plan = {"read": packages(), "write": [own], "memory": limit, "seconds": 20, "ports": [], "processes": False}
    shared = Path(SHARED).stat().st_dev if Path(SHARED).exists() else None
    missing = confine(plan)
    tries: dict[str, Callable[[], Any]] = {
        "network": _try_network,
        "writing": lambda: Path(outside, "new").write_text("x"),
        "reading": Path(outside, "secret").read_text,
        "processes": _try_process,
        "signals": lambda: os.kill(parent, 0),
        "memory": lambda: bytearray(4 * limit),
        "shared memory": lambda: _try_shared(shared),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except (OSError, MemoryError):
            continue
        missing.setdefault(name, "it was tried, and nothing refused it")
    return {name: why for name, why in missing.items() if name in PROTECTIONS}


def _try_network() -> None:
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def _try_shared(device: int | None) -> None:
    """Raises OSError when what is written there is not what others see."""
    if device is None or Path(SHARED).stat().st_dev != device:
        raise OSError
    Path(SHARED, f"mlgates-{os.getpid()}").touch()
    Path(SHARED, f"mlgates-{os.getpid()}").unlink()


def _try_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

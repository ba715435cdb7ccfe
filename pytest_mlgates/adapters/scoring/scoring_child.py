"""The process that runs models: started by path, imports the heavy libraries once, then forks one child a model.

It speaks frames over sockets and shares no memory with the gate. What a model may do is in the package `isolation`, how
it is loaded and asked in `child`; both lie beside this file. Nothing heavy is imported at the top.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: A child that hung up has so many hundredths of a second to end.
_POLLS = 300
_PRELOAD = ("pandas", "pyarrow", "yaml", "sklearn.ensemble", "sklearn.linear_model", "skops.io")


def main(control: socket.socket) -> None:
    """Open models until the parent goes away, then take every child along."""
    gc.disable()
    isolation, child = _beside("isolation"), _beside("child")
    _import_quietly(_PRELOAD)
    # What is imported is no garbage, and a frozen heap stays shared with the forks.
    gc.freeze()
    gc.enable()
    packages = [*isolation.packages(), *_own()]
    children: dict[str, int] = {}
    pending, handed = b"", list[int]()
    while True:
        # A stream may join two orders in one read; lines keep them apart, and descriptors arrive in their order.
        read, fds, _, _ = socket.recv_fds(control, 65536, 64)
        if not read:
            os.killpg(0, signal.SIGKILL)
        *orders, pending = (pending + read).split(b"\n")
        handed += fds
        for order in map(json.loads, orders):
            if order["do"] == "open":
                _import_quietly(order["imports"])
                order["confine"]["read"] = [*packages, order["files"]]
                children[order["key"]] = _fork(isolation, child, handed.pop(0), handed.pop(0), order)
            elif order["do"] == "kill":
                if order["key"] in children:
                    os.kill(children[order["key"]], signal.SIGKILL)
            else:
                control.sendall(json.dumps(_end_of(children.pop(order["key"], 0))).encode())


def _end_of(pid: int) -> int | None:
    """The exit code of a child that has hung up; one that goes on running all the same is ended."""
    if not pid:
        return None
    for _ in range(_POLLS):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork(isolation: Any, child: Any, wire: int, log: int, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        os.close(wire)
        os.close(log)
        return pid
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        # The channel to the gate, and above all the channels of models that are opened next, are none of its business.
        os.closerange(3, wire)
        os.closerange(wire + 1, os.sysconf("SC_OPEN_MAX"))
        channel = child.Channel(socket.socket(fileno=wire))
        confined(isolation, order["confine"], channel.tried)
        with contextlib.suppress(EOFError, OSError):
            child.serve(channel, Path(order["files"]))
    except BaseException as problem:  # noqa: BLE001 - a child must never go on as its parent
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        os._exit(70)
    os._exit(0)


def alone(wire: socket.socket) -> None:
    """One model in an environment of its own, of which nothing is imported before this process is confined."""
    isolation, child = _beside("isolation"), _beside("child")
    order, _ = child.receive(wire)
    order["confine"]["read"] += [*isolation.packages(), *_own(), order["files"]]
    channel = child.Channel(wire)
    confined(isolation, order["confine"], channel.tried)
    importlib.import_module("site").main()
    with contextlib.suppress(EOFError, OSError):
        child.serve(channel, Path(order["files"]), order["described"])


def confined(isolation: Any, plan: dict[str, Any], tell: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Nothing of the model is read before this is done. Raises RuntimeError for what must be had and cannot be.

    `tell` is called with whatever the model tries all the same: `what`, the `protection`, and whether it is `held`.
    """
    own = plan["write"][0]
    os.chdir(own)
    os.environ |= {"HOME": own, "TMPDIR": own, "NUMBA_CACHE_DIR": own, "MPLCONFIGDIR": own}
    tempfile.tempdir = None
    sys.dont_write_bytecode = True  # it may not, and would try at every import
    missing = isolation.confine(plan)
    os.chdir(own)  # the folder in memory that lies over it now
    if plan["required"] and missing:
        why = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise RuntimeError(f"models cannot be isolated here ({why})")
    if tell is not None:
        isolation.watch(plan, missing, tell)


def _own() -> list[str]:
    """What of the gate itself a model's process reads: the package `child`, of which parts are imported late."""
    return [str(Path(__file__).resolve().with_name("child"))]


def _beside(name: str) -> Any:
    """A package that lies beside this file: it is started by path, so that nothing of the gate is on its path."""
    place = Path(__file__).with_name(name)
    spec = importlib.util.spec_from_file_location(
        f"_{name}", place / "__init__.py", submodule_search_locations=[str(place)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # the modules of a package find each other by its name
    spec.loader.exec_module(module)
    return module


def _import_quietly(modules: Any) -> None:
    """Importing early only saves time: a module that is absent is named when a model needs it."""
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)


def tried(own: str, outside: str) -> None:
    """Print, as JSON, which protections do not hold in a process like a model's."""
    _beside("isolation")
    print(json.dumps(importlib.import_module("_isolation.trial").proven(own, outside)))


if __name__ == "__main__":
    if sys.argv[1] == "try":
        tried(*sys.argv[2:])
    elif sys.argv[1] == "alone":
        alone(socket.socket(fileno=int(sys.argv[2])))
    else:
        main(socket.socket(fileno=int(sys.argv[1])))

"""Starts the servers of server.py, for tests in several folders; each is stopped by its own handle."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")
#: Called with the options of a server; its URL.
Serve = Callable[..., str]


@contextmanager
def serving(*options: object) -> Iterator[dict[str, float]]:
    """A server in a process of its own: its port, its process, and when it began on the monotonic clock."""
    command = [sys.executable, str(SERVER), *map(str, options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield {**json.loads(process.stdout.readline()), "pid": process.pid}
        finally:
            process.kill()


@contextmanager
def serving_all() -> Iterator[Serve]:
    """As many servers as asked for, all stopped at the end."""
    with ExitStack() as stack:
        yield lambda *options: f"http://127.0.0.1:{stack.enter_context(serving(*options))['port']:.0f}"


def alive(pid: int) -> bool:
    """True for a process that runs; a dead one whose new parent has not asked for it does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

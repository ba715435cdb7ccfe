"""Runs a command that must not outlive whoever started it.

    python -m pytest_mlgates.adapters.serving.tied_child COMMAND...

Standard input is a pipe whose other end the parent holds and never writes to: when it ends, however the parent ended,
this process and everything in its group is killed. When the command ends, so does this, with its exit code.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from pytest_mlgates.adapters.serving.lease import die_with_parent

#: Seconds after which a parent that is gone is noticed even if somebody else still holds its end of the pipe.
_LOOK = 1.0


def main(command: list[str]) -> int:
    parent = os.getppid()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # The descriptors that were handed to this process are meant for the command.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=die_with_parent)
    while child.poll() is None:
        ready, _, _ = select.select([0, wake], [], [], _LOOK)
        if wake in ready:
            os.read(wake, 64)
        if 0 in ready or os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

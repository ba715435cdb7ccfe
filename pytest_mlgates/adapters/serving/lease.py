"""Which process something belongs to: its id and when it started, because ids are used again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: prctl(PR_SET_PDEATHSIG): Linux ends a process with the thread that started it.
_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Lease:
    """One process. `started` is in the system's own words; they are only compared."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Lease:
        return cls(pid, started(pid))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs, and not another under its number."""
        return bool(self.started) and started(self.pid) == self.started

    def terminate(self) -> None:
        """Ask it to end, if it is still the one."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> bool:
        """End it with its group, if it is still the one; True when there was something to end."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        return True


def mine() -> Lease:
    return Lease.of(os.getpid())


def started(pid: int) -> str:
    """When the process began, "" when there is none (or it has ended and nobody has taken note yet)."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name in brackets may hold blanks and brackets of its own.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, words = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else words.strip()


def die_with_parent() -> None:
    """To be run in a child before it becomes another program. Where the system cannot do that, leases still can."""
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PDEATHSIG, int(signal.SIGKILL))

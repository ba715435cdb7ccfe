"""One watcher at a time in one folder: a lock that ends with its process, and a note of who holds it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO

from pytest_mlgates.adapters.serving.lease import Lease, mine
from pytest_mlgates.errors import UsageError


class WatchLease:
    """As a context; `taken` tries, and what was taken ends with the context or the process, however that ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: IO[str] | None = None

    def __enter__(self) -> WatchLease:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._handle = self._file.open("a+")
        except OSError as problem:
            why = f"{self._file} cannot be written to ({problem.strerror})"
            raise UsageError(f"{why}: a watcher leaves its name there") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.close()

    def taken(self) -> bool:
        """Whether this process is the watcher now."""
        assert self._handle is not None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.set_inheritable(self._handle.fileno(), False)
        self._handle.truncate(0)
        self._handle.write(json.dumps(asdict(mine())))
        self._handle.flush()
        return True

    def holder(self) -> str:
        """Who the other one is, for people."""
        try:
            told = Lease(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return "a process unknown"
        return f"process {told.pid}"

"""The incident file: one JSON line an event, only ever appended to, by one process at a time.

A file and not the ledger, because an incident must be recordable while the registry is the thing that is down. A line
counts once its end is on disk; half a line that a crash left is dropped by the next writer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.incident import Event, Incident, incidents, line, read

Rule = Callable[[Mapping[int, Incident]], Sequence[Event]]


class Journal:
    """Everything raises CouldNotEvaluate when the file cannot be read or written, with what to do about it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def incidents(self) -> dict[int, Incident]:
        """All of them, by number; none when there is no file yet."""
        try:
            data = self.file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise CouldNotEvaluate(f"the incidents in {self.file} cannot be read: {problem.strerror}") from None
        return self._read(data)

    def add(self, rule: Rule) -> list[Event]:
        """Append what `rule` makes of the incidents so far; nobody else writes meanwhile. What was appended."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.file) as stream:
                data = stream.read()
                whole = data[: data.rfind(b"\n") + 1]
                events = list(rule(self._read(whole)))
                if events:
                    self._read(whole + b"".join(map(line, events)))  # never write what could not be read again
                    _extend(stream, len(whole), b"".join(map(line, events)))
        except OSError as problem:
            raise CouldNotEvaluate(f"the incidents in {self.file} cannot be written: {problem.strerror}") from None
        return events

    def _read(self, data: bytes) -> dict[int, Incident]:
        whole = data[: data.rfind(b"\n") + 1]
        events = []
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                events.append(read(text))
            except ValueError as problem:
                raise CouldNotEvaluate(self._damaged(f"line {number} {problem}")) from None
        try:
            return incidents(events)
        except ValueError as problem:
            raise CouldNotEvaluate(self._damaged(str(problem))) from None

    def _damaged(self, what: str) -> str:
        return f"the incidents in {self.file} are damaged: {what}. Restore the file, or move it away to begin a new one"


def _extend(stream: IO[bytes], size: int, data: bytes) -> None:
    """All of `data` at `size`, on disk, or the file as it was. Raises OSError."""
    handle = stream.fileno()
    os.ftruncate(handle, size)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


@contextmanager
def _alone(file: Path) -> Iterator[IO[bytes]]:
    import fcntl

    with file.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        yield stream

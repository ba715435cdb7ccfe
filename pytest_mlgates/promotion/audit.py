"""The audit mirror: the log's entries in an append-only, hash-chained file outside the registry.

A chain cannot show that its end was cut off, so an anchor remembers how long it was. The anchor is the seam where a
signature or an object-locked store will go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Protocol

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ledger import PREFIX, PROJECTED, SUPERSEDED
from pytest_mlgates.ledger.chain import AuditBroken, Head, body, sealed, walk
from pytest_mlgates.ports import Log, Row

SCHEMA = 1


class Anchor(Protocol):
    """Remembers a head where an accident to the mirror does not reach. Raises OSError, AuditBroken."""

    def load(self) -> Head | None:
        """What was stored last, or None."""

    def store(self, head: Head) -> None:
        """Remember `head`."""


class FileAnchor:
    """A small file beside the mirror."""

    def __init__(self, mirror: Path) -> None:
        self.file = mirror.with_name(mirror.name + ".head")

    def load(self) -> Head | None:
        try:
            return Head(**json.loads(self.file.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise AuditBroken(f"its anchor {self.file} was altered: it cannot be read") from None

    def store(self, head: Head) -> None:
        write_atomically(self.file, json.dumps(asdict(head)).encode())


def mirror(file: Path, log: str, rows: Iterable[Row], anchor: Anchor | None = None) -> int:
    """Append the rows that the mirror does not have yet; how many those were.

    Processes take turns, and what a crash left half-written is replaced. Raises AuditBroken when the mirror is
    damaged or cannot be written; it is then as it was before.
    """
    anchor = anchor or FileAnchor(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file) as stream:
            return _extend(stream, log, rows, anchor)
    except OSError as problem:
        raise AuditBroken(f"the audit mirror {file} cannot be written: {problem.strerror or problem}") from None
    except AuditBroken as problem:
        raise AuditBroken(f"the audit mirror {file} is damaged, nothing was added to it: {problem}") from None


def keep(file: Path, log: Log) -> str:
    """Bring the mirror of `log` up to date. What went wrong, in a sentence: what it mirrors stands all the same."""
    try:
        mirror(file, log.name, log.rows())
    except (AuditBroken, CouldNotEvaluate) as problem:
        return str(problem)
    return ""


def verify(file: Path, anchor: Anchor | None = None) -> Head:
    """Check every seal; where the mirror ends. Raises AuditBroken naming the first wrong entry."""
    try:
        known = (anchor or FileAnchor(file)).load()
        with file.open("rb") as stream:
            head = walk(stream, known)
    except OSError as problem:
        raise AuditBroken(f"the audit mirror {file} cannot be read: {problem.strerror or problem}") from None
    except AuditBroken as problem:
        raise AuditBroken(f"the audit mirror {file} is damaged: {problem}") from None
    if known is None:
        raise AuditBroken(f"the audit mirror {file} has no anchor: nothing says whether its end is missing")
    return head


def compare(file: Path, rows: Iterable[Row]) -> None:
    """Hold the mirror against the registry's log. Raises AuditBroken naming the first entry that differs."""
    kept = {row.number: row.facts for row in entries(file)}
    there = {row.number: _lasting(row) for row in rows}
    for number in sorted(kept.keys() | there.keys()):
        if number not in there:
            raise AuditBroken(f"entry {number} is in {file}, but no longer in the registry's log")
        if number not in kept:
            raise AuditBroken(f"entry {number} is in the registry's log, but not in {file}")
        ours, theirs = kept[number], there[number]
        wrong = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
        if wrong:
            raise AuditBroken(f"entry {number} differs between {file} and the registry's log: {', '.join(wrong)}")


def entries(file: Path) -> list[Row]:
    """The entries of a mirror, of this or an older schema. Raises AuditBroken for a newer one or an unreadable file."""
    try:
        with file.open("rb") as stream:
            header, *bodies = [body(line) for line in stream]
        if header["schema"] > SCHEMA:
            raise AuditBroken(f"{file} was written by a newer pytest-mlgates (schema {header['schema']}): upgrade")
        return [Row(found["entry"], found["facts"]) for found in bodies]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise AuditBroken(f"the audit mirror {file} cannot be read: {problem}") from None


def _extend(stream: IO[bytes], log: str, rows: Iterable[Row], anchor: Anchor) -> int:
    known = anchor.load()
    _drop_torn_line(stream, known)
    head = walk(stream, known)
    new = sorted((row for row in rows if row.number > head.entry), key=lambda row: row.number)
    bodies: list[object] = [] if head.lines else [{"schema": SCHEMA, "log": log}]
    bodies += [{"entry": row.number, "facts": _lasting(row)} for row in new]
    text, seal = sealed(head.seal, bodies)
    _write_whole(stream, text)
    longer = Head(head.lines + len(bodies), seal, new[-1].number if new else head.entry)
    if longer != known:
        anchor.store(longer)
    return len(new)


def _drop_torn_line(stream: IO[bytes], known: Head | None) -> None:
    """A crash may leave half a line that nobody was told of. One that the anchor knows stays: it was damaged."""
    stream.seek(0)
    whole = [line for line in stream if line.endswith(b"\n")]
    size = stream.seek(0, os.SEEK_END)
    length = sum(map(len, whole))
    if length < size and len(whole) >= (known.lines if known else 0):
        stream.truncate(length)


def _write_whole(stream: IO[bytes], text: bytes) -> None:
    """All of `text` at the end, on disk, or nothing. Raises OSError."""
    size, handle = stream.seek(0, os.SEEK_END), stream.fileno()
    try:
        while text:
            text = text[os.write(handle, text) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _lasting(row: Row) -> dict[str, str]:
    """Our facts as they were given at creation; what is noted later is no part of the record."""
    return {k: v for k, v in row.facts.items() if k.startswith(PREFIX) and k not in (PROJECTED, SUPERSEDED)}


@contextmanager
def _alone(file: Path) -> Iterator[IO[bytes]]:
    import fcntl

    with file.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream

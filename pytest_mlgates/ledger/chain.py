"""A file of lines, each sealed by the one before, and the sentence that names the first wrong one.

A line is ``<sha256 of the previous seal and the rest of this line> <JSON object>``. The first is a header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from pytest_mlgates.errors import MlgatesError

_SEAL = 64


class AuditBroken(MlgatesError):
    """The mirror was altered, or cannot be read or written; the text names the first wrong entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: its number of lines, the seal of the last, and the number of the last entry."""

    lines: int
    seal: str
    entry: int


def sealed(after: str, bodies: Iterable[Any]) -> tuple[bytes, str]:
    """The lines for `bodies`, to follow a line sealed `after`; and the seal of the last one."""
    lines: list[bytes] = []
    seal = after.encode()
    for body in bodies:
        rest = b" " + json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        seal = hashlib.sha256(seal + rest).hexdigest().encode()
        lines.append(seal + rest)
    return b"".join(lines), seal.decode()


def body(line: bytes) -> Any:
    """What a line says. Raises ValueError."""
    return json.loads(line[_SEAL:])


def walk(stream: IO[bytes], known: Head | None) -> Head:
    """Check every seal from the first line on; where the chain ends.

    `known` is where it ended when it was last written. Raises AuditBroken naming the first altered, missing,
    misplaced or cut-off entry.
    """
    stream.seek(0)
    sha256 = hashlib.sha256
    seal, lines, line, at_known = b"", 0, b"", b""
    known_lines = known.lines if known else 0
    for line in stream:
        if sha256(seal + line[_SEAL:]).hexdigest().encode() != line[:_SEAL]:
            raise AuditBroken(_first_wrong(stream, lines))
        seal = line[:_SEAL]
        lines += 1
        if lines == known_lines:
            at_known = seal
    head = Head(lines, seal.decode(), _number(line) if lines > 1 else 0)
    if known and lines < known.lines:
        raise AuditBroken(f"it was truncated after entry {head.entry}: it had {known.lines} lines, up to {known.entry}")
    if known and at_known.decode() != known.seal:
        raise AuditBroken(f"it was rewritten: entry {known.entry} is not sealed as it was when it was written")
    return head


def _first_wrong(stream: IO[bytes], index: int) -> str:
    stream.seek(0)
    numbers = [_number(line) for line in stream]
    stream.seek(0)
    line = stream.readlines()[index]
    if index == 0:
        return "line 1: the header is missing or was altered"
    due = (numbers[index - 1] if index > 1 else 0) + 1
    found, where = numbers[index], f"line {index + 1}: "
    if not line.endswith(b"\n"):
        return f"{where}entry {due} is cut off in the middle"
    if found > due and due in numbers[index:]:
        return f"{where}entry {found} stands before entry {due}: the order was changed"
    if found > due:
        return f"{where}entry {due} is missing, or was altered: entry {found} stands in its place"
    if 0 < found < due:
        return f"{where}entry {due} was altered or moved: entry {found} stands in its place"
    return f"{where}entry {due} was altered"


def _number(line: bytes) -> int:
    """The entry's number, 0 where the line cannot be read."""
    try:
        return int(body(line)["entry"])
    except (ValueError, KeyError, TypeError):
        return 0

"""Pickle's opcodes, read one by one from bytes in memory or mapped from a file; nothing is built, nothing imported.

Names, lengths and kinds of arguments are those of the standard library's `pickletools`. Long arguments are handed out
as views of the same memory, so that an array of 10 GB costs nothing.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pytest_mlgates.artifact.problem import Damaged

#: Longer texts and numbers are no names; only their presence counts.
_LONGEST_TEXT = 1 << 20
_LONGEST_NUMBER = 64
_HIGHEST_PROTOCOL = 5


class Operation(NamedTuple):
    name: str
    argument: Any
    #: Where the opcode stands, and where the next one does.
    at: int
    after: int


class Long(str):
    """Stands for a text too long to be a name."""


def operations(view: memoryview, start: int = 0) -> Iterator[Operation]:
    """Every opcode from `start` up to and including STOP. Raises Damaged at the first that cannot be read."""
    position = start
    while True:
        at = position
        if at >= len(view):
            raise Damaged("the pickle ends in the middle")
        known = _READERS.get(view[at])
        if known is None:
            raise Damaged(f"byte {at} is no pickle opcode")
        name, read = known
        try:
            argument, position = read(view, at + 1) if read else (None, at + 1)
        except (ValueError, UnicodeDecodeError, struct.error):
            raise Damaged(f"the argument of {name} at byte {at} cannot be read") from None
        yield Operation(name, argument, at, position)
        if name == "STOP":
            return


_Read = Callable[[memoryview, int], tuple[Any, int]]


def _fixed(form: str) -> _Read:
    packed = struct.Struct(form)

    def read(view: memoryview, at: int) -> tuple[Any, int]:
        return packed.unpack_from(view, at)[0], at + packed.size

    return read


def _counted(form: str, kind: str) -> _Read:
    """An argument that stands behind its own length."""
    length = struct.Struct(form)

    def read(view: memoryview, at: int) -> tuple[Any, int]:
        count = length.unpack_from(view, at)[0]
        first = at + length.size
        if count < 0 or first + count > len(view):
            raise ValueError("longer than the file")
        return _DECODE[kind](view[first : first + count]), first + count

    return read


def _text(piece: memoryview) -> str:
    if len(piece) > _LONGEST_TEXT:
        return Long()
    return bytes(piece).decode("utf-8", "surrogatepass")


def _ascii(piece: memoryview) -> str:
    return Long() if len(piece) > _LONGEST_TEXT else bytes(piece).decode("latin-1")


def _number(piece: memoryview) -> int | None:
    return int.from_bytes(piece, "little", signed=True) if len(piece) <= _LONGEST_NUMBER else None


_DECODE: dict[str, Callable[[memoryview], Any]] = {
    "text": _text,
    "ascii": _ascii,
    "number": _number,
    "bytes": lambda piece: piece,
}


def _line(view: memoryview, at: int) -> tuple[bytes, int]:
    """Up to the next line feed, searched in pieces: a mapped file may be large."""
    end = at
    while end < len(view):
        piece = bytes(view[end : end + 4096])
        found = piece.find(b"\n")
        if found >= 0:
            return bytes(view[at : end + found]), end + found + 1
        end += len(piece)
        if end - at > _LONGEST_TEXT:
            break
    raise ValueError("no end of line")


def _pair(view: memoryview, at: int) -> tuple[Any, int]:
    module, at = _line(view, at)
    name, at = _line(view, at)
    return (module.decode("utf-8"), name.decode("utf-8")), at


def _word(view: memoryview, at: int) -> tuple[Any, int]:
    line, at = _line(view, at)
    return line.decode("latin-1"), at


def _quoted(view: memoryview, at: int) -> tuple[Any, int]:
    line, at = _line(view, at)
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("not quoted")
    return line[1:-1].decode("unicode_escape"), at


def _raw_text(view: memoryview, at: int) -> tuple[Any, int]:
    line, at = _line(view, at)
    return line.decode("raw-unicode-escape"), at


def _index(view: memoryview, at: int) -> tuple[Any, int]:
    line, at = _line(view, at)
    return int(line), at


def _integer(view: memoryview, at: int) -> tuple[Any, int]:
    line, at = _line(view, at)
    if line in (b"00", b"01"):
        return line == b"01", at
    return (int(line.rstrip(b"L"), 0) if len(line) < 200 else None), at


def _protocol(view: memoryview, at: int) -> tuple[Any, int]:
    number, after = view[at] if at < len(view) else 99, at + 1
    if number > _HIGHEST_PROTOCOL:
        raise ValueError("unknown protocol")
    return number, after


#: Arguments by the name that pickletools gives them.
_BY_ARGUMENT: dict[str, _Read] = {
    "uint1": _fixed("<B"),
    "uint2": _fixed("<H"),
    "uint4": _fixed("<I"),
    "int4": _fixed("<i"),
    "uint8": _fixed("<Q"),
    "float8": _fixed(">d"),
    "long1": _counted("<B", "number"),
    "long4": _counted("<i", "number"),
    "bytes1": _counted("<B", "bytes"),
    "bytes4": _counted("<I", "bytes"),
    "bytes8": _counted("<Q", "bytes"),
    "bytearray8": _counted("<Q", "bytes"),
    "string1": _counted("<B", "ascii"),
    "string4": _counted("<i", "ascii"),
    "unicodestring1": _counted("<B", "text"),
    "unicodestring4": _counted("<I", "text"),
    "unicodestring8": _counted("<Q", "text"),
    "decimalnl_short": _integer,
    "decimalnl_long": _integer,
    "floatnl": _word,
    "stringnl": _quoted,
    "stringnl_noescape": _word,
    "stringnl_noescape_pair": _pair,
    "unicodestringnl": _raw_text,
}


def _readers() -> dict[int, tuple[str, _Read | None]]:
    found: dict[int, tuple[str, _Read | None]] = {}
    for known in pickletools.opcodes:
        read = _BY_ARGUMENT[known.arg.name] if known.arg else None
        read = {"PROTO": _protocol, "GET": _index, "PUT": _index}.get(known.name, read)
        found[ord(known.code)] = known.name, read
    return found


_READERS = _readers()

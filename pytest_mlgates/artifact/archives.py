"""Archives: every member is read like a file of its own; what two readers would read differently is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from pytest_mlgates.artifact.mlmodel import inside
from pytest_mlgates.artifact.problem import Damaged, Refused

_PIECE = 1 << 20
#: What unpacks to more than this many times its size, and to more than so many bytes, is a bomb and no model.
RATIO = 400
SUSPECT = 64 << 20


class Budget:
    """How many bytes one artifact may still unpack to."""

    def __init__(self, total: int = 32 << 30) -> None:
        self.left = total

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Refused("place", "it unpacks to more than 32 GiB")


class Member(NamedTuple):
    name: str
    view: memoryview


class ViewFile(io.RawIOBase):
    """A memory view as a file that can be read and sought, without a copy."""

    def __init__(self, view: memoryview) -> None:
        self._view, self._at = view, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, len(self._view))[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._view[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def unpacked(stream: IO[bytes], packed: int, budget: Budget) -> memoryview:
    """The whole stream in a temporary file that is mapped, so that memory stays small. Raises Refused for a bomb."""
    with tempfile.TemporaryFile() as file:
        count = 0
        while piece := stream.read(_PIECE):
            count += len(piece)
            budget.spend(len(piece))
            if count > SUSPECT and count > RATIO * max(packed, 1):
                raise Refused("place", f"it unpacks to more than {RATIO} times its size, as bombs do")
            file.write(piece)
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if count else memoryview(b"")


def decompressed(view: memoryview, budget: Budget) -> memoryview | None:
    """What a file compressed as a whole holds, or None for one that is not. Raises Refused."""
    head = bytes(view[:6])
    opened: Any = None
    if head[:2] == b"\x1f\x8b":
        opened = gzip.GzipFile(fileobj=ViewFile(view))
    elif head[:3] == b"BZh":
        opened = bz2.BZ2File(io.BufferedReader(ViewFile(view)))
    elif head == b"\xfd7zXZ\0" or head[:3] == b"]\0\0":
        opened = lzma.LZMAFile(io.BufferedReader(ViewFile(view)))  # noqa: SIM115 - read to its end below
    elif head[:1] == b"x" and len(view) > 2 and (view[0] * 256 + view[1]) % 31 == 0:
        opened = _Inflated(view)
    if opened is None:
        return None
    try:
        return unpacked(opened, len(view), budget)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        raise Damaged("it is compressed and cannot be unpacked") from None


class _Inflated:
    """zlib's stream, read in pieces."""

    def __init__(self, view: memoryview) -> None:
        self._source, self._inflate = ViewFile(view), zlib.decompressobj()

    def read(self, count: int) -> bytes:
        while not self._inflate.eof:
            piece = self._inflate.unconsumed_tail or self._source.read(count) or b""
            found = self._inflate.decompress(piece, count)
            if found:
                return found
            if not piece:
                raise EOFError
        if self._inflate.unused_data or self._source.read(1):
            raise EOFError
        return b""


def is_tar(view: memoryview) -> bool:
    return bytes(view[257:262]) == b"ustar"


def tar_members(view: memoryview, budget: Budget) -> Iterator[Member]:
    """Raises Refused for links, devices and paths that leave the archive."""
    try:
        with tarfile.open(fileobj=ViewFile(view), mode="r:") as archive:
            seen: set[str] = set()
            for info in archive:
                if not inside(info.name):
                    raise Refused("place", f"its member {info.name!r} leaves the archive")
                if info.isdir():
                    continue
                if not info.isreg() or info.issparse():
                    raise Refused("place", f"its member {info.name!r} is no plain file")
                if info.name in seen:
                    raise Damaged(f"its tar archive has {info.name!r} twice")
                seen.add(info.name)
                stream = archive.extractfile(info)
                if stream is not None:
                    yield Member(info.name, unpacked(stream, info.size, budget))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        raise Damaged("it is a tar archive that cannot be read") from None

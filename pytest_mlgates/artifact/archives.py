"""Archives: every member is read like a file of its own; what two readers would read differently is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from pytest_mlgates.artifact.mlmodel import inside
from pytest_mlgates.artifact.problem import Damaged, Refused

_PIECE = 1 << 20
#: What unpacks to more than this many times its size, and to more than so many bytes, is a bomb and no model.
_RATIO = 400
_SUSPECT = 64 << 20
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_MOST_MEMBERS = 100_000
_ENCRYPTED, _DESCRIPTOR = 0x1, 0x8


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
            if count > _SUSPECT and count > _RATIO * max(packed, 1):
                raise Refused("place", f"it unpacks to more than {_RATIO} times its size, as bombs do")
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


def zip_members(view: memoryview, budget: Budget) -> Iterator[Member]:
    """Raises Refused for a zip that different readers would read differently, or that is damaged."""
    try:
        archive = zipfile.ZipFile(ViewFile(view))
        infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        raise Damaged("it is a zip archive that cannot be read") from None
    if archive.comment or bytes(view[-22:-18]) != b"PK\x05\x06":
        raise Damaged("something follows after the end of its zip archive")
    if len(infos) > _MOST_MEMBERS:
        raise Refused("place", f"it has more than {_MOST_MEMBERS} members")
    names = [info.filename.casefold() for info in infos]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Damaged(f"its zip archive has {twice!r} twice")
    _check_layout(view, infos, archive.start_dir)
    for info in infos:
        if info.is_dir():
            continue
        yield Member(info.filename, _member(archive, info, budget))


def _check_layout(view: memoryview, infos: list[zipfile.ZipInfo], directory: int) -> None:
    """Every byte before the directory belongs to one member, and both its headers say the same."""
    position = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if not inside(info.filename):
            raise Refused("place", f"its member {info.filename!r} leaves the archive")
        if info.flag_bits & _ENCRYPTED:
            raise Damaged(f"its member {info.filename!r} is encrypted")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused("place", f"its member {info.filename!r} is a link")
        if info.header_offset != position:
            raise Damaged("its zip archive has bytes that belong to no member, or to two")
        position = _end_of(view, info)
    if position != directory:
        raise Damaged("its zip archive has bytes that belong to no member, or to two")


def _end_of(view: memoryview, info: zipfile.ZipInfo) -> int:
    at = info.header_offset
    try:
        signature, *_, flags, method, _time, _date, _crc, packed, size, name_length, extra = _LOCAL.unpack_from(
            view, at
        )
    except struct.error:
        raise Damaged("a header of its zip archive lies outside the file") from None
    start = at + _LOCAL.size
    name = bytes(view[start : start + name_length])
    same = signature == b"PK\x03\x04" and method == info.compress_type and flags == info.flag_bits
    if not same or name != _encoded(info):
        raise Damaged(f"the two headers of its member {info.filename!r} differ")
    later = bool(flags & _DESCRIPTOR)
    wide = 0xFFFFFFFF in (packed, size)
    if not (later or wide) and (packed, size) != (info.compress_size, info.file_size):
        raise Damaged(f"the two headers of its member {info.filename!r} differ")
    end: int = start + name_length + extra + info.compress_size
    if end > len(view):
        raise Damaged(f"its member {info.filename!r} is longer than the file")
    return end + (_descriptor(view, end, info) if later else 0)


def _encoded(info: zipfile.ZipInfo) -> bytes:
    text = getattr(info, "orig_filename", info.filename)
    try:
        return text.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    except UnicodeEncodeError:
        raise Damaged(f"the name of its member {info.filename!r} cannot be read") from None


def _descriptor(view: memoryview, end: int, info: zipfile.ZipInfo) -> int:
    """The length of the data descriptor behind a member, which repeats its sizes; some writers leave the mark out."""
    for mark in (b"PK\x07\x08", b""):
        for form in ("<LQQ", "<LLL"):
            try:
                wanted = mark + struct.pack(form, info.CRC, info.compress_size, info.file_size)
            except struct.error:
                continue
            if bytes(view[end : end + len(wanted)]) == wanted:
                return len(wanted)
    raise Damaged(f"the two headers of its member {info.filename!r} differ")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> memoryview:
    if info.file_size > _SUSPECT and info.file_size > _RATIO * max(info.compress_size, 1):
        raise Refused("place", f"its member {info.filename!r} unpacks to more than {_RATIO} times its size")
    try:
        with archive.open(info) as stream:
            return unpacked(stream, info.compress_size, budget)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, lzma.LZMAError, RuntimeError):
        raise Damaged(f"its member {info.filename!r} cannot be unpacked") from None


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

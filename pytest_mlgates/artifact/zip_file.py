"""Zip archives: what two readers would read differently is refused, and so is what unpacks without end."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from pytest_mlgates.artifact.archives import RATIO, SUSPECT, Budget, Member, ViewFile, unpacked
from pytest_mlgates.artifact.mlmodel import inside
from pytest_mlgates.artifact.problem import Damaged, Refused

_LOCAL = struct.Struct("<4s2B4HL2L2H")
_MOST_MEMBERS = 100_000
_ENCRYPTED, _DESCRIPTOR = 0x1, 0x8


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
    if info.file_size > SUSPECT and info.file_size > RATIO * max(info.compress_size, 1):
        raise Refused("place", f"its member {info.filename!r} unpacks to more than {RATIO} times its size")
    try:
        with archive.open(info) as stream:
            return unpacked(stream, info.compress_size, budget)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, lzma.LZMAError, RuntimeError):
        raise Damaged(f"its member {info.filename!r} cannot be unpacked") from None

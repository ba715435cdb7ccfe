"""Formats that hold numbers only, told by their bytes and never by their names."""

from __future__ import annotations

import json
import re
import struct

from pytest_mlgates.artifact.problem import Damaged, Refused

_LONGEST_HEADER = 100 << 20
_CODE = (
    (b"\x7fELF", "a program or library for Linux"),
    (b"MZ", "a program or library for Windows"),
    (b"\xcf\xfa\xed\xfe", "a program or library for macOS"),
    (b"\xca\xfe\xba\xbe", "compiled code"),
    (b"\xfe\xed\xfa\xce", "a program or library for macOS"),
    (b"\xfe\xed\xfa\xcf", "a program or library for macOS"),
    (b"\0asm", "compiled code"),
)
_PLAIN = (b"CBM1", b"PAR1", b"ARROW1", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"binf", b"%PDF-")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LOCATION = re.compile(rb"\n\x08location\x12(.)", re.DOTALL)
_ONNX_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}


def refuse_code(view: memoryview) -> None:
    """Raises Refused for compiled code."""
    head = bytes(view[:8])
    for magic, words in _CODE:
        if head.startswith(magic) and (magic != b"MZ" or len(view) > 64):
            raise Refused("code", f"it is {words}")
    if head[2:4] == b"\r\n" and len(view) > 16 and view[3] == 0x0A and view[1] in (0x0C, 0x0D, 0x0E):
        raise Refused("code", "it is compiled Python")


def is_plain(view: memoryview, flavours: frozenset[str]) -> bool:
    """Whether it is a known format without code. Raises Refused for one that is damaged or points elsewhere."""
    head = bytes(view[:16])
    if head.startswith(_PLAIN):
        return True
    if head.startswith(_HDF5):
        return _read_hdf5(view, flavours)
    return _is_safetensors(view) or _is_ubjson(head) or _is_onnx(view)


def _read_hdf5(view: memoryview, flavours: frozenset[str]) -> bool:
    if not flavours & {"keras", "tensorflow"}:
        return False
    found = re.search(rb"Lambda|TorchModuleWrapper|__lambda__|\"py/", view)
    if found:
        raise Refused("code", f"it holds a {found[0].decode()}, which carries code")
    return True


def _is_safetensors(view: memoryview) -> bool:
    if len(view) < 10 or bytes(view[8:9]) != b"{":
        return False
    (length,) = struct.unpack_from("<Q", view)
    if not 2 <= length <= min(_LONGEST_HEADER, len(view) - 8):
        return False
    try:
        header = json.loads(bytes(view[8 : 8 + length]))
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return False
    if max(ends, default=0) != len(view) - 8 - length:
        raise Damaged("its safetensors header does not fit its length")
    return True


def _is_ubjson(head: bytes) -> bool:
    """XGBoost's form: an object whose first key stands behind a length."""
    return head[:1] == b"{" and head[1:2] in (b"L", b"i", b"U", b"I", b"l") and b"\0" in head


def _is_onnx(view: memoryview) -> bool:
    """A protobuf message with only the fields of an ONNX model, a graph among them, and data in this folder."""
    seen: set[int] = set()
    at = 0
    try:
        while at < len(view):
            key, at = _varint(view, at)
            field, wire = key >> 3, key & 7
            if field not in _ONNX_FIELDS or wire not in (0, 2):
                return False
            seen.add(field)
            value, at = _varint(view, at)
            at += value if wire == 2 else 0
    except IndexError:
        return False
    if at != len(view) or not {1, 7} <= seen:
        return False
    for found in _LOCATION.finditer(view):
        place = bytes(view[found.end() : found.end() + found[1][0]])
        if b"/" in place or b"\\" in place or place.startswith(b".."):
            raise Refused("place", f"its weights lie outside the artifact ({place.decode(errors='replace')})")
    return True


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise IndexError

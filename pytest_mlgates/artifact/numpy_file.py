"""numpy's own files: a header that is a literal, then raw numbers, or a pickle where the type is object."""

from __future__ import annotations

import ast
import math
import re

from pytest_mlgates.artifact.allowed import Allowed
from pytest_mlgates.artifact.pickles import read_plain
from pytest_mlgates.artifact.problem import Damaged

MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 1 << 20
_SIMPLE = re.compile(r"[<>|=]?([biufcSUmMV?])(\d*)(\[\w+\])?$")


def read_npy(view: memoryview, allowed: Allowed) -> None:
    """Raises Refused; objects in an array are judged as the pickle they are."""
    header, start = _header(view)
    described, shape = header.get("descr"), header.get("shape")
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise Damaged("the array's header gives no shape")
    if described in ("O", "|O", "|O8", "O8"):
        read_plain(view[start:], allowed)
        return
    if len(view) - start != _size(described) * math.prod(shape):
        raise Damaged("the array is not as long as its header says")


def _header(view: memoryview) -> tuple[dict[str, object], int]:
    if len(view) < 12 or view[6] not in (1, 2, 3):
        raise Damaged("the array's header cannot be read")
    wide = 2 if view[6] == 1 else 4
    length = int.from_bytes(view[8 : 8 + wide], "little")
    start = 8 + wide + length
    if length > _LONGEST_HEADER or start > len(view):
        raise Damaged("the array's header is longer than the file")
    try:
        header = ast.literal_eval(bytes(view[8 + wide : start]).decode("utf-8" if view[6] == 3 else "latin-1").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise Damaged("the array's header is no literal") from None
    if not isinstance(header, dict):
        raise Damaged("the array's header is no dictionary")
    return header, start


def _size(described: object) -> int:
    """Bytes an element; a record is the sum of its fields."""
    if isinstance(described, str):
        found = _SIMPLE.match(described)
        if found is None:
            raise Damaged(f"the array has the type {described!r}, which cannot be judged")
        width = int(found[2] or 1)
        return width * 4 if found[1] == "U" else width
    if isinstance(described, list) and all(isinstance(field, tuple) and len(field) in (2, 3) for field in described):
        return sum(_size(field[1]) * math.prod(field[2] if len(field) == 3 else ()) for field in described)
    raise Damaged("the array has a type that cannot be judged")

"""What a model's process sends is a stranger's: bounded in size and time, read as plain data, or refused."""

from __future__ import annotations

import io
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.scoring.isolation import PROTECTIONS
from pytest_mlgates.adapters.scoring.isolation.noted import MOST
from pytest_mlgates.ports import Answer, Attempt

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTHS = struct.Struct(">QQ")
_LONGEST_HEADER = 4 << 20
_PIECE = 1 << 20
_MOST_WORDS = 500


class OutOfForm(ValueError):
    """It is no answer; the words say why."""


def received(wire: socket.socket, most: int, note: Callable[[Attempt], None]) -> tuple[dict[str, Any], bytes]:
    """The next answer, with `most` bytes of payload, within the time limit of `wire` as a whole and not a piece; what
    the model tried before it is given to `note` as it comes.

    Raises OutOfForm, TimeoutError, and EOFError when the other side is gone.
    """
    limit = wire.gettimeout()
    until = None if limit is None else time.monotonic() + limit
    try:
        for _ in range(MOST + 1):
            header, payload = _frame(wire, most, until)
            if "attempt" not in header:
                return header, payload
            note(as_attempt(header["attempt"]))
        raise OutOfForm(f"it tells of more than {MOST} attempts")
    except (ValueError, RecursionError) as problem:
        raise OutOfForm(plain_words(str(problem))) from None
    finally:
        wire.settimeout(limit)


def as_attempt(said: Any) -> Attempt:
    """Raises OutOfForm."""
    if not isinstance(said, dict) or said.get("protection") not in PROTECTIONS:
        raise OutOfForm("what it tells of is no attempt")
    return Attempt(said["protection"], plain_words(said.get("what")), said.get("held") is True)


def as_answer(header: dict[str, Any], payload: bytes) -> Answer:
    """Raises OutOfForm."""
    values = as_array(payload)
    method, flavour, classes = (header.get(key) for key in ("method", "flavour", "classes"))
    if method not in ("predict", "predict_proba") or not isinstance(flavour, str):
        raise OutOfForm("it does not say what was called")
    return Answer(values, method, plain_words(flavour), as_classes(classes))


def as_classes(classes: Any) -> tuple[Any, ...]:
    """Raises OutOfForm."""
    if not isinstance(classes, list) or not all(isinstance(one, (str, int, float)) for one in classes):
        raise OutOfForm("its classes are no list of labels")
    return tuple(classes)


def as_array(payload: bytes) -> NDArray[Any]:
    """An array in npy's form and nothing else: no archive, no pickle. Raises OutOfForm."""
    import numpy as np

    stream = io.BytesIO(payload)
    try:
        if np.lib.format.read_magic(stream) not in ((1, 0), (2, 0), (3, 0)):
            raise OutOfForm("its array is of an unknown form")
        stream.seek(0)
        values = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, MemoryError, OverflowError, TypeError, SyntaxError, KeyError) as problem:
        raise OutOfForm(f"its array cannot be read: {plain_words(str(problem))}") from None
    if stream.tell() != len(payload):
        raise OutOfForm("something follows after its array")
    return values


def plain_words(text: Any) -> str:
    """One line without control characters, cut: what a model writes must not write to a terminal or a log."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(text)[: 4 * _MOST_WORDS])
    return " ".join(shown.split())[:_MOST_WORDS]


def _frame(wire: socket.socket, most: int, until: float | None) -> tuple[dict[str, Any], bytes]:
    words, payload = _LENGTHS.unpack(_exactly(wire, _LENGTHS.size, until))
    if words > _LONGEST_HEADER or payload > most:
        raise OutOfForm(f"it announces {words + payload} bytes where {most} are plenty")
    header = json.loads(_exactly(wire, words, until))
    if not isinstance(header, dict):
        raise OutOfForm("its header is no table")
    return header, _exactly(wire, payload, until)


def _exactly(wire: socket.socket, count: int, until: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            wire.settimeout(left)
        piece = wire.recv(min(count - len(parts), _PIECE))
        if not piece:
            raise EOFError
        parts += piece
    return bytes(parts)

"""What the load generator and its parent say to each other: the plan, and raw samples as frames.

The generator imports this too, before gevent changes the world, so it needs nothing but the standard library.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
from collections.abc import Iterator
from typing import Any

from pytest_mlgates.ports.serving import Call, LoadPlan, LoadTarget

#: Both sides must agree; remote workers may run another version of this package.
VERSION = 1
_HEAD = struct.Struct("<BI")
_NOTE, _RECORDS = 1, 2
#: worker, everything due before this is in, the time now, CPU seconds used so far.
_SO_FAR = struct.Struct("<Hddd")
#: target, fault, due, sent, done: one request.
RECORD = struct.Struct("<BHddd")


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """One frame of raw samples from `worker`; `packed` is any number of RECORDs. Times in seconds from the start."""

    worker: int
    complete_until: float
    at: float
    cpu: float
    packed: bytes


def note(**said: Any) -> bytes:
    """A frame of plain data: a fault's name, the beginning, trouble."""
    text = json.dumps(said).encode()
    return _HEAD.pack(_NOTE, len(text)) + text


def records(frame: Records) -> bytes:
    body = _SO_FAR.pack(frame.worker, frame.complete_until, frame.at, frame.cpu) + frame.packed
    return _HEAD.pack(_RECORDS, len(body)) + body


def frames(data: bytes) -> Iterator[tuple[int, dict[str, Any] | Records]]:
    """(bytes used so far, frame) of each whole frame in `data`; the last one may still be growing."""
    place = 0
    while place + _HEAD.size <= len(data):
        kind, length = _HEAD.unpack_from(data, place)
        start, end = place + _HEAD.size, place + _HEAD.size + length
        if end > len(data):
            return
        if kind == _NOTE:
            yield end, json.loads(data[start:end])
        else:
            worker, complete_until, at, cpu = _SO_FAR.unpack_from(data, start)
            yield end, Records(worker, complete_until, at, cpu, data[start + _SO_FAR.size : end])
        place = end


def plan_as_text(plan: LoadPlan) -> str:
    """The plan as JSON. It holds whatever headers the calls carry, so it is never an argument or a variable."""
    return json.dumps(dataclasses.asdict(plan), default=lambda body: base64.b64encode(body).decode())


def plan_from_text(text: str) -> LoadPlan:
    said = json.loads(text)
    said["targets"] = tuple(_target(one) for one in said["targets"])
    return LoadPlan(**said)


def _target(said: dict[str, Any]) -> LoadTarget:
    calls = tuple(Call(**{**call, "body": base64.b64decode(call["body"])}) for call in said["calls"])
    return LoadTarget(**{**said, "calls": calls, "answers": tuple(said["answers"])})

"""Pickles as `joblib.dump` writes them: the bytes of arrays lie raw between the opcodes, behind a stand-in each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pytest_mlgates.artifact.machine import Machine
from pytest_mlgates.artifact.problem import Damaged
from pytest_mlgates.artifact.stand_ins import Judge, Made, Table

_WRAPPERS = {"joblib.numpy_pickle.NumpyArrayWrapper"}


class JoblibStream:
    """A stream with raw arrays behind their wrappers, as `joblib.dump` writes it."""

    def __init__(self, view: memoryview, judge: Callable[[], Judge]) -> None:
        self._view, self._judge = view, judge
        self.arrays = 0
        self._machine: Machine | None = None

    def read(self, start: int) -> int:
        before = self._machine
        self._machine = machine = Machine(self._view, self._judge(), self._skip)
        end, _ = machine.run(start)
        self._machine = before
        return end

    def _skip(self, made: Made, at: int, after: int) -> int | None:
        if str(made.of) not in _WRAPPERS:
            return None
        self.arrays += 1
        if self._machine is None or self._machine.in_frame(after):
            raise Damaged("an array of joblib lies within a frame, where two readers would read different things")
        state = made.state.entries if isinstance(made.state, Table) else {}
        shape, dtype = state.get("shape"), state.get("dtype")
        if type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
            raise Damaged("an array of joblib has no readable shape")
        if _holds_objects(dtype):
            return self.read(after)
        size = _item_size(dtype) * math.prod(shape)
        if state.get("numpy_array_alignment_bytes") is not None:
            after += 1 + (self._view[after] if after < len(self._view) else 0)
        if after + size > len(self._view):
            raise Damaged("an array of joblib is longer than the file")
        return after + size


def _code_of(dtype: Any) -> str:
    if not isinstance(dtype, Made) or dtype.of.name != "dtype" or type(dtype.args) is not tuple or not dtype.args:
        raise Damaged("an array of joblib has no readable type")
    code = dtype.args[0]
    if type(code) is not str:
        raise Damaged("an array of joblib has no readable type")
    return code


def _holds_objects(dtype: Any) -> bool:
    return _code_of(dtype).lstrip("<>|=") == "O8"


def _item_size(dtype: Any) -> int:
    code = _code_of(dtype).lstrip("<>|=")
    kind, digits = code[:1], code[1:]
    if kind not in "biufcSUMmV" or not digits.isdigit() or (kind == "V" and _has_fields(dtype)):
        raise Damaged(f"an array of joblib has the type {code!r}, which cannot be skipped")
    return int(digits) * (4 if kind == "U" else 1)


def _has_fields(dtype: Made) -> bool:
    """Fields of a record may be objects, which joblib pickles."""
    state = dtype.state
    return type(state) is not tuple or len(state) < 8 or not (type(state[7]) is int and state[7] & 1 == 0)

"""Is an answer under load the right one? Runs in the load generator's process, so the standard library must do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import LoadTarget, Wire
from pytest_mlgates.wires import by_name

#: How far an answer under load may be from the one given alone: batches and threads change the last digits.
TOLERANCE = 1e-4


class Answers:
    """Says what is wrong with the answers of one target."""

    def __init__(self, target: LoadTarget, wire: Wire | None = None) -> None:
        self._target = target
        self.wire = wire or by_name(target.wire)

    def fault(self, call: int, status: int, headers: Mapping[str, str], body: bytes) -> str:
        """What is wrong with an answer to that call, or ""."""
        if status != 200:
            return f"HTTP {status}"
        try:
            said = self.wire.read(status, headers, body, self._target.rows)
        except CouldNotEvaluate as problem:
            return str(problem)[:160]
        return differs(said, self._target.answers[call]) if self._target.answers else ""


def differs(said: Sequence[Any], alone: Sequence[Any]) -> str:
    """How an answer differs from the one given alone, or "". Numbers may differ by `TOLERANCE` of the larger one."""
    ours, theirs = _flat(said), _flat(alone)
    if len(ours) == len(theirs) and all(map(_same, ours, theirs)):
        return ""
    if ours and all(value == 0 for value in ours):
        return "the answer is all zeros, which it is not when asked alone"
    return "the answer is another one than when asked alone"


def _flat(values: Sequence[Any]) -> list[Any]:
    return [part for value in values for part in (_flat(value) if isinstance(value, (list, tuple)) else (value,))]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-9)
    return bool(one == other)

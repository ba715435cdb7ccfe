"""The Open Inference Protocol (KServe v2), which Triton and MLServer speak: `/v2/models/NAME/infer`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires.answers import accepted, checked, parsed
from pytest_mlgates.wires.base import JSON, Base, encoded, joined

_KINDS = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}


@dataclass(frozen=True, kw_only=True)
class Kserve(Base):
    """`model` is the server's name for it. A tensor a column, or one of all columns when `input` names it; `datatype`
    is sent instead of what the values are ("FP32", say); `answer` names the output, where there are several.
    """

    NAME = "kserve"
    model: str = ""
    input: str = ""
    datatype: str = ""
    answer: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.model:
            raise UsageError("the wire 'kserve' needs the server's name of the model: model = \"NAME\"")

    def call(self, url: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Call:
        if self.input:
            flat = [value for row in rows for value in row]
            tensors = [self._tensor(self.input, [len(rows), len(columns)], flat)]
        else:
            by_column = zip(columns, zip(*rows, strict=True), strict=True)
            tensors = [self._tensor(name, [len(rows), 1], list(values)) for name, values in by_column]
        return Call(joined(url, f"/v2/models/{self.model}/infer"), encoded({"inputs": tensors}), dict(JSON))

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        accepted(status, headers, body, ("application/json",))
        found = parsed(body)
        tensors = found.get("outputs") if isinstance(found, dict) else None
        if not isinstance(tensors, list) or not tensors or not all(isinstance(one, dict) for one in tensors):
            raise CouldNotEvaluate('the answer has no "outputs", which a KServe v2 server gives')
        return checked(_rows_of(self._chosen(tensors), rows), rows, nonzero=self.nonzero)

    def _tensor(self, name: str, shape: list[int], values: list[Any]) -> dict[str, Any]:
        if any(value is None for value in values):
            raise CouldNotEvaluate(f"KServe v2 tensors have no missing values, and {name!r} has some in the rows asked")
        kinds = {type(value) for value in values}
        kind = kinds.pop() if len(kinds) == 1 else float if kinds <= {int, float} else None
        if kind not in _KINDS:
            raise CouldNotEvaluate(f"the tensor {name!r} would hold values of several kinds: ask a tensor a column")
        return {"name": name, "shape": shape, "datatype": self.datatype or _KINDS[kind], "data": values}

    def _chosen(self, tensors: list[dict[str, Any]]) -> dict[str, Any]:
        names = [str(one.get("name")) for one in tensors]
        if not self.answer:
            if len(tensors) > 1:
                raise CouldNotEvaluate(f"the answer has the outputs {', '.join(names)}: choose one with `answer`")
            return tensors[0]
        if self.answer not in names:
            raise CouldNotEvaluate(f"the answer has no output {self.answer!r}, it has {', '.join(names)}")
        return tensors[names.index(self.answer)]


def _rows_of(tensor: dict[str, Any], rows: int) -> list[Any]:
    shape, data = tensor.get("shape"), tensor.get("data")
    if not isinstance(shape, list) or not isinstance(data, list) or not all(type(one) is int for one in shape):
        raise CouldNotEvaluate("the output tensor lacks its shape or its data")
    flat = _flat(data)
    if math.prod(shape) != len(flat):
        raise CouldNotEvaluate(f"the output tensor of shape {shape} holds {len(flat)} values")
    if shape[:1] != [rows]:
        raise CouldNotEvaluate(f"{shape[0] if shape else 0} answers for {rows} rows")
    width = len(flat) // rows
    return flat if width == 1 else [flat[place * width : (place + 1) * width] for place in range(rows)]


def _flat(data: list[Any]) -> list[Any]:
    if not any(isinstance(one, list) for one in data):
        return data
    return [value for one in data for value in (_flat(one) if isinstance(one, list) else [one])]

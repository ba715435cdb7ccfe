"""MLflow's scoring server: `/invocations` with `dataframe_split`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires.answers import accepted, checked, parsed
from pytest_mlgates.wires.base import JSON, Base, encoded, joined


@dataclass(frozen=True, kw_only=True)
class Mlflow(Base):
    NAME = "mlflow"

    def call(self, url: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Call:
        return Call(
            joined(url, "/invocations"), encoded({"dataframe_split": {"columns": columns, "data": rows}}), dict(JSON)
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        accepted(status, headers, body, ("application/json",))
        found = parsed(body)
        if not isinstance(found, dict) or "predictions" not in found:
            raise CouldNotEvaluate('the answer has no "predictions", which MLflow\'s scoring server gives')
        return checked(found["predictions"], rows, nonzero=self.nonzero)

"""JSON of any shape by template, as BentoML and most services of one's own speak."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ports.serving import Call
from pytest_mlgates.wires.answers import accepted, checked, parsed
from pytest_mlgates.wires.base import JSON, Base, joined, records

_PLACES = re.compile(r"\{(columns|rows|records|row|record)\}")


@dataclass(frozen=True, kw_only=True)
class PlainJson(Base):
    """`template` is the body, with {records} (a list of objects), {rows} (a list of lists) and {columns}, or {record}
    and {row} for a service that takes one row. `answer` is the way to the values in what comes back, the empty text
    for all of it: "predictions", "result.0.scores", or with `*` for every item of a list: "items.*.score".
    """

    NAME = "json"
    path: str = "/predict"
    template: str = '{"input_data": {records}}'
    answer: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _holds_rows(self.template):
            raise UsageError(
                f"the template of the wire {self.NAME!r} must be JSON with {{records}}, {{rows}}, {{record}} or "
                f"{{row}} in it, not {self.template[:200]!r}"
            )

    @property
    def one_row(self) -> bool:
        return _takes_one(self.template)

    def call(self, url: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Call:
        return Call(joined(url, self.path), filled(self.template, columns, rows), dict(JSON))

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        accepted(status, headers, body, ("application/json",))
        found = followed(parsed(body), self.answer)
        return checked([found] if self.one_row and not isinstance(found, list) else found, rows, nonzero=self.nonzero)


def filled(template: str, columns: tuple[str, ...], rows: list[list[Any]]) -> bytes:
    """`template` with its places filled. Raises CouldNotEvaluate for several rows where it has a place for one."""
    if _takes_one(template) and len(rows) != 1:
        raise CouldNotEvaluate(f"the template takes one row a request, not {len(rows)}")

    def fill(place: re.Match[str]) -> str:
        values: dict[str, Any] = {"columns": columns, "rows": rows, "row": rows[0] if rows else []}
        name = place[1]
        if name.startswith("record"):
            made = records(columns, rows)
            values |= {"records": made, "record": made[0] if made else {}}
        return json.dumps(values[name], allow_nan=False)

    return _PLACES.sub(fill, template).encode()


def followed(found: Any, way: str) -> Any:
    """What lies at the end of `way` in `found`. Raises CouldNotEvaluate when there is no such way."""
    steps = [step for step in way.split(".") if step]
    for number, step in enumerate(steps):
        if step == "*" and isinstance(found, list):
            return [followed(one, ".".join(steps[number + 1 :])) for one in found]
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            has = f"keys {', '.join(map(repr, list(found)[:10]))}" if isinstance(found, dict) else type(found).__name__
            raise CouldNotEvaluate(f"the answer has no {way!r}: at {step!r} there is {has}")
    return found


def _takes_one(template: str) -> bool:
    return any(place in ("row", "record") for place in _PLACES.findall(template))


def _holds_rows(template: str) -> bool:
    try:
        json.loads(_PLACES.sub("[]", template))
    except ValueError:
        return False
    return bool(set(_PLACES.findall(template)) - {"columns"})

"""What every wire is made of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_mlgates.errors import UsageError

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Base:
    """`nonzero`: no right answer is all zeros, so that one of zeros only was filled in, not scored."""

    NAME: ClassVar[str]
    nonzero: bool = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            given = getattr(self, field.name)
            if type(given) is not type(field.default):
                meant = {bool: "true or false", str: "text in quotes"}.get(type(field.default), "of another type")
                raise UsageError(f"the option {field.name!r} of the wire {self.NAME!r} must be {meant}, not {given!r}")

    @classmethod
    def options(cls) -> tuple[str, ...]:
        return tuple(field.name for field in dataclasses.fields(cls))

    @property
    def spec(self) -> str:
        """What `by_name` makes the same wire of."""
        given = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if getattr(self, f.name) != f.default}
        kind = type(self)
        shipped = kind.__module__.startswith("pytest_mlgates.wires.")
        name = self.NAME if shipped else f"{kind.__module__}:{kind.__qualname__}"
        return f"{name} {json.dumps(given)}" if given else name

    @property
    def one_row(self) -> bool:
        """Whether a request asks about one row only."""
        return False

    def begun(self, body: bytes) -> bool:
        """An answer that comes in one piece begins when it is there."""
        return True


def encoded(value: Any) -> bytes:
    """`value` as JSON. NaN and infinity are no JSON; callers send null."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def joined(url: str, path: str) -> str:
    """The base `url` with `path` behind it, unless it ends so already."""
    url = url.rstrip("/")
    return url if not path or url.endswith(path.rstrip("/")) else url + path


def records(columns: tuple[str, ...], rows: list[list[Any]]) -> list[Mapping[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]

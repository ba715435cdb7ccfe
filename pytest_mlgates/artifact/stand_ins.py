"""What stands for an object that a pickle would make: enough to judge by, and never the object itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class Name(NamedTuple):
    """What GLOBAL, STACK_GLOBAL and INST import."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Made:
    """What a call gave: `of` is what was called; `args` are its arguments, `state` what BUILD set last."""

    of: Name
    args: Any = None
    state: Any = None


@dataclass(slots=True, eq=False)
class Table:
    """A dictionary: entries with text keys, as far as they may matter."""

    entries: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Items:
    """A list or set; what is in it has been judged on its way there."""


#: A value nobody needs to know more about.
OPAQUE = Items()


class Judge(Protocol):
    """Told of everything a pickle would do, in its order. Each may raise Refused."""

    def reference(self, name: Name) -> None: ...
    def call(self, name: Name, args: Any) -> None: ...
    def create(self, name: Name) -> None: ...
    def build(self, made: Made, state: Any) -> None: ...
    def fill(self, made: Made, keys: Sequence[Any]) -> None: ...
    def persistent(self, identity: Any) -> None: ...
    def data(self, piece: memoryview) -> None: ...

"""Why an artifact is not trusted, in one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `code`: it carries code of its own. `name`: a pickle or a setting names something no such model needs. `format`:
#: unknown, damaged or wrongly named. `place`: links, paths that leave the folder, archives that unpack without end.
Kind = Literal["code", "name", "format", "place"]


@dataclass(frozen=True, slots=True)
class Problem:
    """`file` is a path in the artifact; members of archives follow after an exclamation mark."""

    kind: Kind
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


class Refused(Exception):
    """Reading stops here: what was read so far is not trusted."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class Damaged(Refused):
    """These bytes are not what they should be; whether that is bad depends on who would read them."""

    def __init__(self, reason: str) -> None:
        super().__init__("format", reason)

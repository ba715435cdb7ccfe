"""Where the frozen golden set lives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pointer:
    """What pins a golden set: the md5 and size of its bytes, and how the pointer stands in git: the `commit` that last
    changed it ("" for none; in a shallow clone perhaps the oldest one here), and a `remark` when it is not as there.
    """

    file: Path
    md5: str
    size: int | None
    commit: str = ""
    remark: str = ""


class GoldenStore(Protocol):
    """Where a frozen golden set lives."""

    def pointer(self) -> Pointer:
        """The pin, read from the pointer file."""

    def ensure(self, pointer: Pointer) -> None:
        """Bring the file here when it is absent; a file that is already here is never replaced."""

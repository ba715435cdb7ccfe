"""An append-only log of numbered rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """What a log keeps under one number: the facts given at creation, and what was noted since."""

    number: int
    facts: Mapping[str, str]


class Log(Protocol):
    """An append-only log of numbered rows beside a model. The store gives the numbers: unique, increasing, and a
    number is visible only after every smaller one. Nothing here knows what the facts mean.

    What writes raises ActionFailed when the store refuses it (nothing was written), and CouldNotEvaluate when the
    answer did not come (it may have been written). What reads raises CouldNotEvaluate.
    """

    @property
    def name(self) -> str:
        """How people call it: the companion model's name."""

    def exists(self) -> bool:
        """Whether there is one."""

    def create(self) -> bool:
        """Make an empty log; False when there is one already."""

    def rows(self, since: int = 1) -> list[Row]:
        """The rows numbered `since` and up, in order of their numbers."""

    def add(self, facts: Mapping[str, str], run: str = "") -> int:
        """Append one row at once with all its facts, linked to a run when one is named; its number."""

    def note(self, number: int, key: str, value: str) -> None:
        """Write one later fact on a row."""

    def mark(self) -> str:
        """What the model itself says about its log ("" for nothing), so that a deleted log is noticed."""

    def set_mark(self, text: str) -> None:
        """Write that."""

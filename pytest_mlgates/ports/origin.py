"""Where a version came from: runs and the code's history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run as the tracking store knows it; `commit` is the one it says it was started from, or "", and `ended` when it
    ended, in seconds since 1970 (None: nobody knows).
    """

    commit: str
    deleted: bool = False
    ended: float | None = field(default=None, compare=False)


class Runs(Protocol):
    """The tracking store's runs."""

    def run(self, run_id: str) -> TrackedRun | None:
        """The run, or None when there is none. Raises CouldNotEvaluate."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out: the commit, and the tracked files that differ from it."""

    commit: str
    changed: tuple[str, ...] = ()


class Repository(Protocol):
    """The code's history. Everything raises CouldNotEvaluate when it does not answer."""

    def has(self, commit: str) -> bool:
        """Whether it has that commit (a full id)."""

    def pinned(self, commit: str, data: str) -> str:
        """The md5 that the pointer of `data` pins at `commit`, or ""."""

"""A guess and what it rests on. What is unsure is not guessed: a wrong golden set would judge wrongly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Guess:
    """`value` for a setting and `why`; or no value, and `why` says what is in the way."""

    value: Any = None
    why: str = ""

    def __bool__(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Registered:
    """One registered model: its aliases and stages (name -> version), and its newest version ("" without any)."""

    name: str
    aliases: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    newest: str = ""


def listed(names: Any, most: int = 12) -> str:
    """Names for a sentence; what is beyond `most` is counted."""
    all_of = [str(name) for name in names]
    more = f" and {len(all_of) - most} more" if len(all_of) > most else ""
    return ", ".join(repr(name) for name in all_of[:most]) + more

"""A registry and a log in memory. The contract suite holds them to what MLflow really does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Row, Version


class MemoryRegistry:
    """Versions by number, and aliases that anybody may overwrite."""

    def __init__(self, versions: int = 9, **aliases: str) -> None:
        self.versions = {str(n) for n in range(1, versions + 1)}
        self.aliases = dict(aliases)
        self.model_tags: dict[str, str] = {}

    def find(self, reference: str) -> Version | None:
        number = reference if reference.isdigit() else self.aliases.get(reference, "")
        return Version("m", number) if number in self.versions else None

    def references(self) -> list[str]:
        return [*self.aliases, *self.versions]

    def files(self, version: Version) -> Path:
        raise AssertionError("nothing here reads files")

    def point(self, reference: str, version: Version) -> None:
        if version.number not in self.versions:
            raise CouldNotEvaluate(f"no {version}")
        self.aliases[reference] = version.number

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        raise AssertionError("nothing here tags versions")

    def delete(self, number: str) -> None:
        """As MLflow does it: the aliases go too, silently."""
        self.versions.discard(number)
        self.aliases = {alias: n for alias, n in self.aliases.items() if n != number}


class MemoryLog:
    """Numbered rows; a deleted number is never used again."""

    def __init__(self) -> None:
        self.there = False
        self.stored: dict[int, dict[str, str]] = {}
        self.highest = 0
        self.said = ""

    @property
    def name(self) -> str:
        return "m.mlgates-ledger"

    def exists(self) -> bool:
        return self.there

    def create(self) -> bool:
        made, self.there = not self.there, True
        return made

    def rows(self, since: int = 1) -> list[Row]:
        return [Row(n, dict(facts)) for n, facts in sorted(self.stored.items()) if n >= since]

    def add(self, facts: Mapping[str, str], run: str = "") -> int:
        self.highest += 1
        self.stored[self.highest] = dict(facts)
        return self.highest

    def note(self, number: int, key: str, value: str) -> None:
        self.stored[number][key] = value

    def mark(self) -> str:
        return self.said

    def set_mark(self, text: str) -> None:
        self.said = text

    def delete(self, number: int) -> None:
        del self.stored[number]

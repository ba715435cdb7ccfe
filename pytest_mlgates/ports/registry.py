"""Model versions, and the reference that says which of them serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Version:
    """One registered model version, as it was when it was looked up."""

    model: str
    number: str
    run_id: str = ""
    source: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"v{self.number}"


class Registry(Protocol):
    """Model versions and the reference (alias ``champion``, or ``stage:Production``) that says which serves."""

    def find(self, reference: str) -> Version | None:
        """The version an alias, a number, ``stage:NAME``, ``models:/`` or ``runs:/`` URI means, or None.

        Raises UsageError when the model itself does not exist, CouldNotEvaluate when the registry is in trouble.
        """

    def references(self) -> list[str]:
        """What `find` would answer to: the aliases and version numbers there are."""

    def files(self, version: Version) -> Path:
        """A local folder with the version's files."""

    def point(self, reference: str, version: Version) -> None:
        """Make an alias or stage mean `version`."""

    def unpoint(self, alias: str) -> None:
        """Make an alias mean nothing."""

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        """Write tags on a version."""

    def attach(self, version: Version, texts: Mapping[str, str]) -> None:
        """Keep texts, by file name, with the run that made `version`. Raises CouldNotEvaluate."""

    def note_figures(self, version: Version, figures: Mapping[str, float]) -> str:
        """Keep finite figures, by name, with the run that made `version`, for a trend over runs; the run's id.

        Raises CouldNotEvaluate.
        """

    def attached(self, version: Version, name: str) -> str | None:
        """A text that was kept so, or None. Raises CouldNotEvaluate."""

"""The doors to the outside: what the rest of the package asks of a registry, a golden store, a scorer.

Adapters implement these; a contract suite in tests/contract holds every implementation to them. Trouble
outside is raised as CouldNotEvaluate with a sentence of the adapter's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: `auto` is predict_proba of the native flavour where there is one, else what pyfunc predicts.
Method = Literal["auto", "predict", "predict_proba"]


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

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        """Write tags on a version."""

    def attach(self, version: Version, texts: Mapping[str, str]) -> None:
        """Keep texts, by file name, with the run that made `version`. Raises CouldNotEvaluate."""

    def attached(self, version: Version, name: str) -> str | None:
        """A text that was kept so, or None. Raises CouldNotEvaluate."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What pins a golden set: the md5 and size of its bytes, and how the pointer stands in git."""

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said: `values` has one row a row asked about; `method` is what was called on which flavour."""

    values: NDArray[Any]
    method: str
    flavour: str
    classes: tuple[Any, ...] = ()


class ScoredModel(Protocol):
    """A model that runs somewhere else and answers with plain arrays."""

    def start(self, method: Method, rows: Any) -> None:
        """Ask about `rows` (a DataFrame or array) without waiting for the answer."""

    def answer(self) -> Answer:
        """Wait for the answer to the question asked first. Raises CouldNotEvaluate."""


class Scorer(Protocol):
    """Starts models. It never loads one in this process."""

    def open(self, files: Path, name: str) -> ScoredModel:
        """Begin loading the model in the folder `files`; `name` is for messages."""

    def close(self) -> None:
        """Stop every model."""


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


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run as the tracking store knows it; `commit` is the one it says it was started from, or ""."""

    commit: str
    deleted: bool = False


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

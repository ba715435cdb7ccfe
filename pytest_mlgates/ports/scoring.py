"""Models that run somewhere else and answer with plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pytest_mlgates.ports.registry import Version

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: `auto` is predict_proba of the native flavour where there is one, else what pyfunc predicts.
Method = Literal["auto", "predict", "predict_proba"]


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """What a model tried although no model may: `what` in words ("to open a socket"), the `protection` against it
    ("network"), and whether that `held`: whether it could be had on this machine.
    """

    protection: str
    what: str
    held: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said: `values` has one row a row asked about; `method` is what was called on which flavour;
    `tried` what its process had tried until then.
    """

    values: NDArray[Any]
    method: str
    flavour: str
    classes: tuple[Any, ...] = ()
    tried: tuple[Attempt, ...] = ()


#: Rows as JSON has them, column -> cell; together they are one frame.
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one small frame: `values`, one a row, or in one sentence how it `refused`, or how it
    `broke`: it died, was silent, or answered what is no answer.
    """

    values: list[Any] = field(default_factory=list)
    refused: str = ""
    broke: str = ""

    @property
    def answered(self) -> bool:
        return not self.refused and not self.broke


class ScoredModel(Protocol):
    """A model that runs somewhere else and answers with plain arrays."""

    @property
    def tried(self) -> tuple[Attempt, ...]:
        """What it tried until now although it may not."""

    def ask(self, method: Method, asks: Sequence[Rows], dtypes: Mapping[str, str], within: float) -> Told:
        """Each of `asks` is a frame of its own, and a refusal is one of its answers; columns get `dtypes` where their
        cells fit. Raises ModelGone when nothing comes back in `within` seconds, CouldNotEvaluate when it cannot be
        loaded.
        """

    def about(self, question: Mapping[str, Any], told: Mapping[str, Any], within: float) -> Any:
        """What its process finds out about the model itself: `question` names what ("look"), the answer is plain
        data. Raises CouldNotEvaluate when it fails there, dies, or takes longer than `within` seconds.
        """

    def start(self, method: Method, rows: Any) -> None:
        """Ask about `rows` (a DataFrame or array) without waiting for the answer."""

    def answer(self) -> Answer:
        """Wait for the answer to the question asked first. Raises CouldNotEvaluate."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of each frame, and the model's classes in the order of its class scores."""

    said: list[Said]
    classes: tuple[Any, ...] = ()


class Scorer(Protocol):
    """Starts models. It never loads one in this process."""

    def open(self, files: Path, name: str, version: Version | None = None) -> ScoredModel:
        """Begin loading the model in the folder `files`; `name` is for messages; `version` is whose they are, for a
        scorer that looks up the environment it was trained in. Raises CouldNotEvaluate.
        """

    def close(self) -> None:
        """Stop every model."""

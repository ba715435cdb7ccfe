"""Models that run somewhere else and answer with plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: `auto` is predict_proba of the native flavour where there is one, else what pyfunc predicts.
Method = Literal["auto", "predict", "predict_proba"]


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

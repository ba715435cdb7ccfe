"""What one process needs to run gates: settings, pins, golden set, models. Each part is made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_mlgates.doors.serving import Serving
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet, read_golden
from pytest_mlgates.model import Model, Scoring
from pytest_mlgates.pins import Pins
from pytest_mlgates.ports import Attempt, Scorer
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Run:
    """The pinned parts. Each raises CouldNotEvaluate, with the same sentence for every gate, when it cannot be had."""

    def __init__(
        self, settings: Settings, pins: Pins, open_scorer: Callable[[], Scorer], early: Scorer | None = None
    ) -> None:
        self.settings, self.pins = settings, pins
        self._open_scorer, self._early = open_scorer, early
        self._scoring: Scoring | None = None
        self._heard: set[tuple[str, Attempt]] = set()

    @cached_property
    def golden_set(self) -> GoldenSet:
        problem = self.pins.problem or self.pins.golden_problem
        if problem or self.pins.golden is None:
            raise CouldNotEvaluate(problem or "no golden set was pinned")
        return read_golden(self.settings, self.pins.golden.md5)

    @cached_property
    def champion(self) -> Model | None:
        """None before the first promotion."""
        return self._model("champion")

    @cached_property
    def challenger(self) -> Model | None:
        return self._model("challenger")

    @cached_property
    def first_champion(self) -> Callable[[], Model | None]:
        """A call away, so that a gate can judge what it has when this one cannot be had: the golden set's first
        champion, or None while that is the champion.
        """
        return self._first_champion

    @cached_property
    def serving(self) -> Serving:
        """The models behind HTTP; nothing is started before an endpoint is asked for."""
        models = {"champion": lambda: self.champion, "challenger": lambda: self.challenger}
        return Serving(self.settings, models, lambda: self.golden_set)

    def kept_scores(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Champion's and challenger's scores of the golden rows, where both are kept from an earlier run."""
        if self.champion is None or self.challenger is None:
            return None
        first, second = self.champion.kept_scores(), self.challenger.kept_scores()
        return None if first is None or second is None else (first, second)

    def tried(self) -> set[tuple[str, Attempt]]:
        """(role, what that model tried until now although no model may), here and where `hear` heard of it."""
        return self._heard | (self._scoring.tried() if self._scoring is not None else set())

    def hear(self, tried: Iterable[tuple[str, Attempt]]) -> None:
        """What models tried in another process of this session."""
        self._heard |= set(tried)

    def close(self) -> None:
        if "serving" in vars(self):
            self.serving.close()
        if self._scoring is not None:
            self._scoring.close()
        if self._early is not None:
            self._early.close()

    @cached_property
    def former_champion(self) -> Callable[[], Model | None]:
        """A call away: the champion before this one, or None where it cannot be had (the pins say why)."""
        return lambda: self._model("former champion")

    def _first_champion(self) -> Model | None:
        if self.pins.first_problem:
            raise CouldNotEvaluate(self.pins.first_problem)
        return self._model("first champion")

    def _model(self, role: str) -> Model | None:
        if self.pins.problem:
            raise CouldNotEvaluate(self.pins.problem)
        if self._scoring is None:
            pinned = {"champion": self.pins.champion, "challenger": self.pins.challenger}
            pinned["first champion"] = self.pins.first
            pinned["former champion"] = self.pins.former
            present = {role: one for role, one in pinned.items() if one is not None}
            self._scoring = Scoring(self.settings, present, self._open_scorer, lambda: self.golden_set)
        return self._scoring.model(role)

"""What one process needs to run gates: settings, pins, golden set, models. Each part is made when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet, read_golden
from pytest_mlgates.model import Model, Scoring
from pytest_mlgates.pins import Pins
from pytest_mlgates.ports import Scorer
from pytest_mlgates.settings import Settings


class Run:
    """The pinned parts. Each raises CouldNotEvaluate, with the same sentence for every gate, when it cannot be had."""

    def __init__(
        self, settings: Settings, pins: Pins, open_scorer: Callable[[], Scorer], early: Scorer | None = None
    ) -> None:
        self.settings, self.pins = settings, pins
        self._open_scorer, self._early = open_scorer, early
        self._scoring: Scoring | None = None

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

    def close(self) -> None:
        if self._scoring is not None:
            self._scoring.close()
        if self._early is not None:
            self._early.close()

    def _model(self, role: str) -> Model | None:
        if self.pins.problem:
            raise CouldNotEvaluate(self.pins.problem)
        if self._scoring is None:
            pinned = {"champion": self.pins.champion, "challenger": self.pins.challenger}
            present = {role: one for role, one in pinned.items() if one is not None}
            self._scoring = Scoring(self.settings, present, self._open_scorer, lambda: self.golden_set)
        return self._scoring.model(role)

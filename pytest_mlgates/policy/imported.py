"""What other tools found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pytest_mlgates.policy.base import Policy

Figure = Annotated[float, Field(allow_inf_nan=False)]


class Imported(Policy):
    """One result of another tool: `file` as the tool wrote it, not older than `max_age_hours`, with at least `tests`
    tests. MLflow's figures have no verdict of their own: `at_least` and `at_most` say what each must reach.
    """

    name: Annotated[str, Field(min_length=1)]
    kind: Literal["junit", "mlflow", "deepchecks", "evidently"]
    file: Annotated[str, Field(min_length=1)]
    max_age_hours: Annotated[float, Field(gt=0)] = 24.0
    tests: Annotated[int, Field(ge=1)] = 1
    at_least: Mapping[str, Figure] = {}
    at_most: Mapping[str, Figure] = {}

    @model_validator(mode="after")
    def _judged(self) -> Imported:
        limits = bool(self.at_least or self.at_most)
        if self.kind == "mlflow" and not limits:
            raise ValueError('kind = "mlflow" needs at_least or at_most, such as at_least = {accuracy_score = 0.9}')
        if self.kind != "mlflow" and limits:
            raise ValueError(f'at_least and at_most are for kind = "mlflow"; {self.kind} says itself what passed')
        return self

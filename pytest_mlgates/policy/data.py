"""Can the data be trusted to judge, and is it still the data that the model knows?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pytest_mlgates.policy.base import Margin, Policy, Share


class GoldenValidity(Policy):
    """Whether the golden set can be trusted to judge.

    `training`: the training data (or its DVC pointer), `identifier`: a column that tells rows apart; `leak`: share
    of golden rows in training that is tolerated; `contradictions`: share of golden rows that have an equal row with
    another label; `refresh`: "block" holds on a set older than `refresh_days`, "warn" says so.
    """

    training: str = ""
    identifier: str = ""
    leak: Share = 0.01
    contradictions: Share = 0.2
    max_feature_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    linear_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    refresh_days: Annotated[int, Field(ge=1)] = 90
    refresh: Literal["warn", "block"] = "warn"
    alpha: Share = 0.05
    seed: Annotated[int, Field(ge=0)] = 0


class Skew(Policy):
    psi: Margin = 0.2
    watch: Margin = 0.1

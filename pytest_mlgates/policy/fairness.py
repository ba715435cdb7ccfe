"""Are groups of people treated alike?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from pytest_mlgates.policy.base import Margin, Names, Policy, Share, as_tuple

GroupMetric = Literal["true_positive_rate", "false_positive_rate", "accuracy", "roc_auc"]
#: How far declared shares may miss a sum of 1: they are written to two digits.
_ROUNDING = 0.02


class Fairness(Policy):
    """Each group of the sensitive columns against the reference group, and never dropped for being small.

    `disparate_impact`: least ratio of selection rates, `unrepresentative` where the rows' group shares miss the
    `production_shares` (a table a column) by more than `share_gap` of the rows; `reference`: a group a column, else
    the largest; `crossed`: intersections; `pool_below`: groups with fewer rows become one; `sample`: a
    production-representative file to judge on instead of the golden set. `demographic_parity`, `equalized_odds` and
    `groups` (a limit a metric, for every group) are judged where they are set, and otherwise reported.
    `no_worse_than_champion` fails a group whose disparate impact fell by more than `champion_margin`, proven at
    `champion_alpha`. `fairlearn`: the by-group figures are made by fairlearn too, and must be the same.
    """

    disparate_impact: Share = 0.8
    unrepresentative: Share = 0.85
    share_gap: Share = 0.05
    production_shares: Mapping[str, Annotated[Mapping[str, Share], Field(min_length=2)]] = {}
    sample: str = ""
    reference: Mapping[str, str] = {}
    crossed: Annotated[tuple[Annotated[Names, Field(min_length=2)], ...], BeforeValidator(as_tuple)] = ()
    pool_below: Annotated[int, Field(ge=0)] = 0
    demographic_parity: Share | None = None
    equalized_odds: Share | None = None
    groups: Mapping[GroupMetric, Share] = {}
    no_worse_than_champion: bool = True
    champion_margin: Margin = 0.05
    champion_alpha: Share = 0.01
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    draws: Annotated[int, Field(ge=200)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
    fairlearn: bool = False

    @field_validator("production_shares")
    @classmethod
    def _whole(cls, columns: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        for column, shares in columns.items():
            total = sum(shares.values())
            if abs(total - 1) > _ROUNDING:
                raise ValueError(f"the shares of {column!r} must add up to 1, not {total:g}: name every group")
        return columns

    @field_validator("crossed")
    @classmethod
    def _distinct(cls, crossed: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for columns in crossed:
            if len(set(columns)) < len(columns):
                raise ValueError(f"an intersection needs different columns: {list(columns)}")
        return crossed

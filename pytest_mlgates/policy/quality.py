"""Is the challenger as good: over all rows, and on each part of them?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from pytest_mlgates.policy.base import Margin, Names, Policy, Share, as_tuple

Direction = Literal["higher", "lower"]


class GoldenRegression(Policy):
    """Not worse than the champion on each metric: the margin is how much worse is still tolerated.

    `better`: metrics on which a gain of this much must be proven instead; `direction`: what is better of a metric
    that is a function of the user's. `anchor`: the golden set's first champion is compared with, too, because margins
    add up over releases: "prove" asks for the same proof, "watch" fails only what is proven worse, or "off".
    """

    metrics: Mapping[str, Margin] = {}
    better: Mapping[str, Margin] = {}
    direction: Mapping[str, Direction] = {}
    anchor: Literal["prove", "watch", "off"] = "prove"
    alpha: Share = 0.05
    draws: Annotated[int, Field(ge=200)] = 2000
    seed: int = 0


class BootstrapAuc(Policy):
    """`better`: proven above 0 and by `gain` or more; otherwise the picture of not worse than `margin`."""

    better: bool = True
    gain: Margin = 0.005
    margin: Margin = 0.005
    alpha: Share = 0.05
    draws: Annotated[int, Field(ge=200)] = 2000
    seed: int = 0


class Slices(Policy):
    """No slice harmed: gain beyond the margin and proven harm. With nothing declared, the sensitive columns' groups.

    `columns`: a slice a value; `bins`: edges a numeric column; `crossed`: intersections; `where`: a pandas
    expression a name; `required`: slices that hold when too small to test; `found`: how many are searched for.
    """

    columns: Names = ()
    bins: Mapping[str, Annotated[tuple[float, ...], BeforeValidator(as_tuple), Field(min_length=1)]] = {}
    crossed: Annotated[tuple[Annotated[Names, Field(min_length=2)], ...], BeforeValidator(as_tuple)] = ()
    where: Mapping[str, Annotated[str, Field(min_length=1)]] = {}
    required: Names = ()
    found: Annotated[int, Field(ge=0, le=20)] = 3
    metric: str = ""
    margin: Margin = 0.02
    alpha: Share = 0.025  # half the usual: at .05 the family's alarms on top of the AUC's fail 6 % of unchanged models
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("bins")
    @classmethod
    def _ascending(cls, bins: Mapping[str, tuple[float, ...]]) -> Mapping[str, tuple[float, ...]]:
        for column, edges in bins.items():
            if not all(low < high for low, high in pairwise(edges)):
                raise ValueError(f"the edges of {column!r} must ascend: {list(edges)}")
        return bins

    @field_validator("where")
    @classmethod
    def _plain_predicates(cls, where: Mapping[str, str]) -> Mapping[str, str]:
        for name, predicate in where.items():
            if "@" in predicate or "__" in predicate:
                raise ValueError(f"{name!r} may compare columns and values only, without @ and __: {predicate!r}")
        return where

"""What a model says of itself, and how it is held to it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pytest_mlgates.policy.base import Margin, Policy


class Manifest(Policy):
    """The interpretability manifest: `file` (YAML or JSON, beside the settings) and how it is checked.

    `agreement`: the top features that it declares and those measured agree so much, proven by a bootstrap of `draws`
    over rows at `alpha`. Explaining takes `seconds` at most, by fewer rows than the manifest asks for where it must.
    `plot`: a file (.svg or .png) with the features' shares, for people.
    """

    file: Annotated[str, Field(min_length=1)] = "manifest.yaml"
    agreement: Annotated[float, Field(gt=0, le=1)] = 0.7
    moved: Margin | None = None
    seconds: Annotated[float, Field(gt=0)] = 60.0
    draws: Annotated[int, Field(ge=200)] = 1000
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    plot: Annotated[str, Field(pattern=r"^$|\.(svg|png)$")] = ""

"""Can the data be trusted to judge, and is it still the data that the model knows?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from pytest_mlgates.policy.base import Margin, Names, Policy, Share


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
    """How far what the model receives live may lie from what it was taught on.

    `sample`: Parquet file or folder, CSV, or a database's URL with `table` or `query`. `baseline`: what
    `mlgates baseline` wrote, or the training data itself; default: the baseline kept with the model's run.
    A feature fails when its index is proven above `psi`, is remarked on above `watch`, and beyond `sudden` drift is no
    explanation. `nulls` and `unseen` are shares that nulls, and values never seen in training, may gain. `features`
    are judged though they look like identifiers or rank below `top` by importance; `ignore` are not.
    `encoders` names what makes each column of embeddings; `score` is the column of logged scores; `rescored` is how
    many rows of the sample the model is asked about again (0: none).
    """

    sample: str = ""
    table: str = ""
    query: str = ""
    baseline: str = ""
    engine: Literal["arrow", "duckdb", "spark"] = "arrow"
    features: Names = ()
    ignore: Names = ()
    top: Annotated[int, Field(ge=1)] = 20
    psi: Margin = 0.2
    watch: Margin = 0.1
    sudden: Margin = 0.5
    nulls: Share = 0.05
    unseen: Share = 0.01
    encoders: Mapping[str, str] = {}
    cosine: Margin = 0.15
    score: str = ""
    rescored: Annotated[int, Field(ge=0)] = 0
    timeout: Annotated[float, Field(gt=0)] = 600.0
    alpha: Share = 0.05

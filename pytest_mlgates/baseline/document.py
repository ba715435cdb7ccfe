"""What a baseline holds: counts over bins, tables of frequent values, moments. No rows, no value that is somebody's.

Later readers (manifests, behaviour gates) use ranges and vocabularies from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pytest_mlgates.engine.port import Kind, Word

#: Raised with every change that an older reader would misread.
VERSION = 1
#: The artifact of a model's run.
FILE = "mlgates_baseline.json"

Count = Annotated[int, Field(ge=0)]


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Numbers_ = Annotated[tuple[float, ...], BeforeValidator(_tuple)]
Counts_ = Annotated[tuple[Count, ...], BeforeValidator(_tuple)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Numbers(Part):
    """`counts` (len(edges) + 1,) rows a bin, each from its edge up to before the next; `deciles` are some of `edges`.

    The edges are values at percentiles; a value that repeats often is one edge, and its bin holds it whole.
    """

    low: float | None
    high: float | None
    mean: float
    sd: Annotated[float, Field(ge=0)]
    edges: Numbers_
    counts: Counts_
    deciles: Numbers_
    infinite: Count = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} bins, not {len(self.counts)}")
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("the edges do not ascend")
        if not set(self.deciles) <= set(self.edges):
            raise ValueError("the deciles must be some of the edges")
        return self


Pair = Annotated[tuple[Word, Count], BeforeValidator(_tuple)]


class Words(Part):
    """`counts` of the frequent values, most frequent first; `others` are the rows of all values that were rarer,
    `once` those whose value occurred once, `distinct` how many values there were.
    """

    counts: Annotated[tuple[Pair, ...], BeforeValidator(_tuple)]
    others: Count
    once: Count
    distinct: Count


class Vector(Part):
    """An embedding: `centroid` (size,), `spread` the sum of its coordinates' variances, and its images under
    random directions drawn from `seed`: their bins, mean (k,) and covariance (k, k).
    """

    size: Annotated[int, Field(ge=1)]
    encoder: str
    centroid: Numbers_
    spread: Annotated[float, Field(ge=0)]
    seed: Count
    images: Annotated[tuple[Numbers, ...], BeforeValidator(_tuple)]
    mean: Numbers_
    covariance: Annotated[tuple[Numbers_, ...], BeforeValidator(_tuple)]


class Column(Part):
    """Exactly one of `numbers`, `words` and `vector` where the column can be compared; `left_out` says why not."""

    kind: Kind
    zone: str = ""
    rows: Count
    nulls: Count
    left_out: str = ""
    numbers: Numbers | None = None
    words: Words | None = None
    vector: Vector | None = None

    @property
    def present(self) -> int:
        return self.rows - self.nulls

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        said = sum(part is not None for part in (self.numbers, self.words, self.vector))
        if said + bool(self.left_out) != 1:
            raise ValueError("a column has numbers, words or a vector, or says why it is left out")
        if self.nulls > self.rows:
            raise ValueError(f"{self.nulls} nulls in {self.rows} rows")
        return self


class Baseline(Part):
    """`source` is what it was made from, `scores` are the model's on it, `importances` the model's of its inputs."""

    mlgates_baseline: Annotated[Literal[1], Field(description='write "mlgates_baseline": 1')] = 1
    made_with: str = ""
    source: str = ""
    rows: Annotated[int, Field(ge=1)]
    columns: Annotated[Mapping[str, Column], Field(min_length=1)]
    importances: Mapping[str, float] = {}
    scores: Numbers | None = None

    def to_json(self) -> str:
        """As the file holds it: one line a column."""
        import json

        data = self.model_dump(mode="json", exclude_none=True, exclude={"columns"})
        head = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in data.items()]
        rows = [
            f"  {json.dumps(name, ensure_ascii=False)}: "
            + json.dumps(column.model_dump(mode="json", exclude_none=True, exclude_defaults=True), ensure_ascii=False)
            for name, column in self.columns.items()
        ]
        return "\n".join(["{", *head, ' "columns": {', ",\n".join(rows), " }", "}", ""])

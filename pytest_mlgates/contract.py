"""The golden contract: which columns a golden set has, of which kind, how many nulls, which range or vocabulary.

`mlgates golden freeze` writes it beside the golden set (``golden.parquet`` -> ``golden.contract.json``); people
edit it and commit it. YAML is read as well (``.contract.yaml``, ``.contract.yml``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.validation import read

Kind = Literal["boolean", "integer", "number", "text", "date", "other"]
Value = bool | int | float | str
Values = Annotated[tuple[Value, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)]

SUFFIXES = (".contract.json", ".contract.yaml", ".contract.yml")


class Column(BaseModel):
    """`nulls` is the largest share of nulls allowed, `low` and `high` the range, `values` the vocabulary."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Annotated[Kind, Field(description='write "kind": "number", "integer", "text", "boolean", "date" or "other"')]
    nulls: Annotated[float, Field(ge=0, le=1)] = 0.0
    low: float | None = None
    high: float | None = None
    values: Values | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        if (self.low is not None or self.high is not None) and self.kind not in ("integer", "number"):
            raise ValueError(f"low and high are for numbers, not for kind {self.kind!r}")
        return self


class Contract(BaseModel):
    """`label` is the vocabulary of the labels (None for a regression), `columns` what the models receive.
    `golden` is the md5 of the set it was frozen from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[Literal[1], Field(description='write "version": 1')]
    golden: str = ""
    label: Values | None = None
    columns: Annotated[Mapping[str, Column], Field(min_length=1, description="run `mlgates golden freeze`")]

    def to_json(self) -> str:
        """As the file holds it: a line a column, what does not apply left out."""
        columns = {name: column.model_dump(exclude_none=True) for name, column in self.columns.items()}
        head = {"version": self.version, "golden": self.golden}
        if self.label is not None:
            head["label"] = list(self.label)
        lines = [f" {json.dumps(key)}: {_line(value)}," for key, value in head.items()]
        rows = ",\n".join(f"  {_line(name)}: {_line(column)}" for name, column in columns.items())
        return "\n".join(["{", *lines, ' "columns": {', rows, " }", "}", ""])


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def place_of(golden: Path) -> Path:
    """The contract's file beside the golden set: the one that exists, else where one would be written."""
    places = [golden.with_name(golden.stem + suffix) for suffix in SUFFIXES]
    return next((place for place in places if place.is_file()), places[0])


def load(golden: Path) -> Contract:
    """The contract beside the golden set. Raises CouldNotEvaluate when there is none, UsageError when it is wrong."""
    file = place_of(golden)
    if not file.is_file():
        raise CouldNotEvaluate(
            f"there is no golden contract {file}: run `mlgates golden freeze`, look at what it wrote, and commit it"
        )
    return parsed(_document(file), str(file))


def parsed(data: Any, place: str) -> Contract:
    """`data` as a contract; `place` is for messages. Raises UsageError for the first wrong key or value."""
    if not isinstance(data, dict):
        raise UsageError(f"{place} must hold a table with version and columns, not {type(data).__name__}")
    columns = data.get("columns")
    if isinstance(columns, dict):
        data = data | {"columns": {str(name): _column(name, column, place) for name, column in columns.items()}}
    return read(Contract, data, {}, place)


def _column(name: Any, column: Any, place: str) -> Column:
    if not isinstance(column, dict):
        raise UsageError(f'column {name!r} in {place} must be a table such as {{"kind": "number"}}, not {column!r}')
    return read(Column, column, {}, f"column {name!r} of {place}")


def _document(file: Path) -> Any:
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except OSError as problem:
        raise CouldNotEvaluate(f"the golden contract {file} cannot be read: {problem.strerror}") from None
    except (ValueError, yaml.YAMLError) as problem:
        first = str(problem).splitlines()[0]
        raise UsageError(
            f"{file} is not {file.suffix[1:].upper()} ({first}): correct it, or `mlgates golden freeze --force`"
        ) from None

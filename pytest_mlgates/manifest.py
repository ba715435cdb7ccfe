"""The interpretability manifest: what a model says of itself, written by a person and checked by a machine.

`mlgates manifest` drafts it (``manifest.yaml``); people edit it and commit it. JSON is read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.validation import did_you_mean, read

#: Raised with every change that an older reader would misread.
VERSION = 1
_MAKE = "`mlgates manifest` drafts one"

Handling = Literal["refused", "allowed"]
Cell = bool | int | float | str


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)


class Output(Part):
    """The range that no answer may leave: of scores, class scores, or values."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"the output's low ({self.low:g}) must be below its high ({self.high:g})")
        return self


class Clause(Part):
    """What a cell must be for a kill switch to act: below, above (a number), one of `is`, or missing."""

    below: float | None = None
    above: float | None = None
    one_of: Annotated[tuple[Cell, ...], BeforeValidator(_tuple)] | None = Field(None, alias="is")
    missing: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = [self.below is not None, self.above is not None, bool(self.one_of), self.missing]
        if sum(said) != 1:
            raise ValueError("a condition says one of below, above, is and missing; write two switches for two")
        return self

    def matches(self, cell: Any) -> bool:
        """Whether `cell`, a plain value or None, is such a one."""
        if cell is None or cell != cell:
            return self.missing
        if self.one_of is not None:
            return cell in self.one_of
        if isinstance(cell, (str, bool)):
            return False
        return (self.below is not None and cell < self.below) or (self.above is not None and cell > self.above)


class Switch(Part):
    """When all of `when` hold, a column each, the model refuses, or gives exactly `answer`."""

    when: Annotated[Mapping[str, Clause], Field(min_length=1)]
    answer: float | None = None
    reason: str = ""

    def matches(self, row: Mapping[str, Any]) -> bool:
        return all(clause.matches(row.get(column)) for column, clause in self.when.items())


class Rule(Part):
    """How one column's odd cells are met. Refused is the default; what is allowed says why."""

    unknown: Handling = "refused"
    null: Handling = "refused"
    extreme: Handling = "refused"
    wrong_type: Handling = "refused"
    missing: Handling = "refused"
    reason: str = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.allowed and not self.reason:
            raise ValueError(f'{", ".join(self.allowed)} = "allowed" needs a reason = "..."')
        return self

    @property
    def allowed(self) -> list[str]:
        kinds = ("unknown", "null", "extreme", "wrong_type", "missing")
        return [kind for kind in kinds if getattr(self, kind) == "allowed"]


class Explanation(Part):
    """`top`: the features that matter most, first first; `rows` and `background` are numbers of golden rows, drawn by
    `seed`; an explanation adds up to the answer within `tolerance`, a share of the answers' range.
    """

    top: Annotated[Names, Field(min_length=1)]
    method: Literal["auto", "tree", "linear", "permutation"] = "auto"
    rows: Annotated[int, Field(ge=20)] = 500
    background: Annotated[int, Field(ge=1, le=1000)] = 50
    seed: Annotated[int, Field(ge=0)] = 0
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 1e-4


class Manifest(Part):
    """`safe_value` is what a model may answer where it must not judge; `columns` says how odd cells are met, `shares`
    how much of the explanation a forbidden or proxy feature may carry. `monotone` is of one score, so it is not
    supported for multiclass models.
    """

    mlgates_manifest: Annotated[Literal[1], Field(description="write mlgates_manifest: 1")]
    model: str = ""
    output: Annotated[Output, Field(description="write output: {low: 0, high: 1}")]
    safe_value: float | None = None
    kill_switch: Annotated[tuple[Switch, ...], BeforeValidator(_tuple)] = ()
    columns: Mapping[str, Rule] = {}
    monotone: Mapping[str, Literal["up", "down"]] = {}
    invariant: Names = ()
    explanation: Explanation | None = None
    shares: Mapping[str, Share] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        answers = {"safe_value": self.safe_value}
        answers |= {f"kill_switch {place + 1}": switch.answer for place, switch in enumerate(self.kill_switch)}
        for key, answer in answers.items():
            if answer is not None and not self.output.low <= answer <= self.output.high:
                raise ValueError(
                    f"{key} answers {answer:g}, outside the output's own range {self.output.low:g} to "
                    f"{self.output.high:g}"
                )
        both = sorted(set(self.monotone) & set(self.invariant))
        if both:
            raise ValueError(f"{both[0]!r} cannot be monotone and invariant at once")
        top = self.explanation.top if self.explanation else ()
        for name in top:
            if top.count(name) > 1:
                raise ValueError(f"explanation.top names {name!r} twice")
            if name in self.invariant:
                raise ValueError(f"{name!r} cannot matter most and be one that nothing may hang on (invariant)")
            if self.shares.get(name) == 0:
                raise ValueError(f"{name!r} cannot matter most and have a share of 0")
        return self

    def named(self) -> Iterable[tuple[str, str]]:
        """(where, column) of every column that is named anywhere."""
        for key in ("columns", "monotone", "invariant", "shares"):
            yield from ((key, name) for name in getattr(self, key))
        yield from (("kill_switch", name) for switch in self.kill_switch for name in switch.when)
        yield from (("explanation.top", name) for name in (self.explanation.top if self.explanation else ()))

    def check_columns(self, known: Iterable[str], place: str) -> None:
        """Raises UsageError for the first column that is none of `known`, what the models receive."""
        names = list(known)
        for where, name in self.named():
            if name not in names:
                raise UsageError(
                    f"{where} in {place} names {name!r}, which the models do not receive: {did_you_mean(name, names)}"
                )

    def rule(self, column: str) -> Rule:
        return self.columns.get(column) or Rule()


def load(file: Path) -> Manifest | None:
    """The manifest in `file`, or None without one. Raises UsageError when it is wrong, CouldNotEvaluate when it cannot
    be read.
    """
    if not file.exists():
        return None
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
        data = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise CouldNotEvaluate(f"the manifest {file} cannot be read: {why}") from None
    except (ValueError, yaml.YAMLError) as problem:
        first = str(problem).splitlines()[0]
        raise UsageError(f"{file} is not {file.suffix[1:].upper()} ({first}): correct it") from None
    return parsed(data, str(file))


def parsed(data: Any, place: str) -> Manifest:
    """`data` as a manifest; `place` is for messages. Raises UsageError for the first wrong key or value."""
    if not isinstance(data, dict) or "mlgates_manifest" not in data:
        raise UsageError(f"{place} is no manifest, for it lacks mlgates_manifest: {VERSION}; {_MAKE}")
    version = data["mlgates_manifest"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UsageError(f"{place} says it is a manifest of version {version!r}, which never was: {_MAKE}")
    if version > VERSION:
        raise UsageError(
            f"{place} is a manifest of version {version}, and this pytest-mlgates reads versions up to {VERSION}: "
            "update it here"
        )
    for key, model in (("output", Output), ("explanation", Explanation)):
        if isinstance(data.get(key), dict):
            data = data | {key: read(model, data[key], {}, f"{key} of {place}")}
    if isinstance(data.get("columns"), dict):
        data = data | {"columns": {name: _rule(name, rule, place) for name, rule in data["columns"].items()}}
    return read(Manifest, data, {}, place)


def _rule(name: Any, rule: Any, place: str) -> Rule:
    if not isinstance(rule, dict):
        raise UsageError(f'column {name!r} in {place} must be a table such as {{unknown: allowed, reason: "..."}}')
    return read(Rule, rule, {}, f"column {name!r} of {place}")

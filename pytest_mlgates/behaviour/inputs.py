"""What a model may be given: kinds, ranges, vocabularies and nulls, from the contract and from the training data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.baseline.document import Baseline
from pytest_mlgates.contract import Column, Contract

#: Cells that are kept of a column whose values follow no rule: free text, dates.
_KEPT = 20


@dataclass(frozen=True, slots=True)
class Known:
    """One column: `values` is its vocabulary, `low` and `high` its range, or `examples` where it has neither.
    `nulls`: whether a null is nothing unusual. `whole`: numbers are whole numbers.
    """

    nulls: bool = False
    whole: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    examples: tuple[Any, ...] = ()

    @property
    def number(self) -> bool:
        """Whether text is of a wrong type here."""
        cells = self.values or self.examples
        return self.low is not None or any(isinstance(one, (int, float)) and not isinstance(one, bool) for one in cells)


Inputs = Mapping[str, Known]


def inputs_of(
    contract: Contract, rows: Sequence[Mapping[str, Any]], baseline: Baseline | None = None
) -> dict[str, Known]:
    """The columns of `rows` (what the models receive, as plain cells), as `contract` promises them; `baseline` makes
    ranges and vocabularies wider, for what was taught is not unknown.
    """
    found = {}
    for name in rows[0]:
        promised = contract.columns.get(name)
        seen = [row[name] for row in rows if row[name] is not None]
        known = _known(promised, seen) if promised else Known(examples=_examples(seen))
        found[name] = _widened(known, baseline, name) if baseline else known
    return found


def _known(column: Column, seen: Sequence[Any]) -> Known:
    nulls, whole = column.nulls > 0, column.kind == "integer"
    if column.values:
        return Known(nulls, whole, values=column.values)
    if column.kind in ("integer", "number") and column.low is not None and column.high is not None:
        return Known(nulls, whole, column.low, column.high)
    return Known(nulls, examples=_examples(seen))


def _examples(seen: Sequence[Any]) -> tuple[Any, ...]:
    kept: dict[str, Any] = {}
    for cell in seen:
        kept.setdefault(repr(cell), cell)
        if len(kept) == _KEPT:
            break
    return tuple(kept.values())


def _widened(known: Known, baseline: Baseline, name: str) -> Known:
    taught = baseline.columns.get(name)
    if taught is None:
        return known
    known = dataclasses.replace(known, nulls=known.nulls or taught.nulls > 0)
    numbers, words = taught.numbers, taught.words
    if known.low is not None and known.high is not None and numbers and numbers.low is not None:
        high = known.high if numbers.high is None else max(known.high, numbers.high)
        return dataclasses.replace(known, low=min(known.low, numbers.low), high=high)
    if known.values and words and not words.others:
        kind = type(known.values[0])
        more = [value for value, _ in words.counts if value not in known.values and type(value) is kind]
        return dataclasses.replace(known, values=(*known.values, *more))
    return known

"""Train/serve parity: the same raw rows through training's transform and through serving, value by value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import parsed
from pytest_mlgates.policy import Parity
from pytest_mlgates.ports.features import Features
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: Below this a value is compared by its distance: no feature is right to 0.01 % of nothing.
_SMALL = 1e-6
_SHOWN = 10
_ABSENT = object()


def raw_rows(base: Path, policy: Parity) -> pd.DataFrame:
    """The first `sample` raw rows. Raises CouldNotEvaluate when they cannot be had."""
    if not (policy.rows and policy.transform and (policy.url or policy.serving)):
        raise CouldNotEvaluate(
            'write rows = "raw.parquet", transform = "features.build:transform" and url = "http://..." (or serving = '
            '"service.features:transform") in [tool.mlgates.parity]'
        )
    file = base / policy.rows
    try:
        rows = parsed(file, file.read_bytes(), "the raw rows")
    except OSError as problem:
        raise CouldNotEvaluate(f"the raw rows {file} cannot be read: {problem.strerror}") from None
    if rows.empty:
        raise CouldNotEvaluate(f"the raw rows {file} has no rows")
    if policy.key and policy.key not in rows.columns:
        near = did_you_mean(policy.key, map(str, rows.columns))
        raise CouldNotEvaluate(f"{policy.rows} has no column {policy.key!r}: {near}")
    return rows.head(policy.sample)


def diverging(rows: pd.DataFrame, trained: Features, served: Features, policy: Parity) -> Evidence:
    """How many fields are not the same on both sides for every row; the first, in training's order, is `where`.

    A field that serving does not answer diverges; one that only serving has is shown and does not.
    Raises CouldNotEvaluate when a side cannot be asked, or training makes no features.
    """
    ours, theirs = trained.features(rows), served.features(rows)
    fields = list(ours[0]) if ours else []
    if not fields:
        raise CouldNotEvaluate(f"the transform {policy.transform!r} makes no features")
    names = [str(name) for name in rows[policy.key]] if policy.key else [str(place) for place in range(len(rows))]
    found = {field: _differing(field, ours, theirs, policy.tolerance) for field in fields}
    found = {field: places for field, places in found.items() if places}
    told = [_told(field, places, ours, theirs, names, policy.key) for field, places in found.items()]
    details: dict[str, Any] = {"fields": len(fields), "diverging": told[:_SHOWN]}
    beyond = sorted({name for row in theirs for name in row} - set(fields))
    if beyond:
        details["only at serving"] = beyond[:_SHOWN]
    return Evidence("fields that diverge", len(found), len(rows), where=next(iter(found), ""), details=details)


def same(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Whether two plain values are one: numbers within the relative `tolerance`, missing with missing, else equal."""
    if ours is None or theirs is None:
        return ours is theirs
    numbers = isinstance(ours, (int, float)) and isinstance(theirs, (int, float))
    if numbers and math.isfinite(ours) and math.isfinite(theirs):
        return bool(abs(ours - theirs) <= tolerance * max(abs(ours), _SMALL))
    return bool(ours == theirs)


def _differing(
    field: str, ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]], tolerance: float
) -> list[int]:
    pairs = zip(ours, theirs, strict=True)
    return [
        place
        for place, (mine, other) in enumerate(pairs)
        if field not in other or not same(mine[field], other[field], tolerance)
    ]


def _told(
    field: str,
    places: list[int],
    ours: Sequence[dict[str, Any]],
    theirs: Sequence[dict[str, Any]],
    names: list[str],
    key: str,
) -> str:
    first = places[0]
    at = f"{key or 'row'} {names[first]}"
    other = theirs[first].get(field, _ABSENT)
    serving = "not answered" if other is _ABSENT else f"{_shown(other)} at serving"
    return f"{field}: {_shown(ours[first][field])} in training, {serving}, {at}; {len(places)} of {len(ours)} rows"


def _shown(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."

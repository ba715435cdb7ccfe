"""Point-in-time correctness of a feature table: nothing in a row was known only after the row's own event.

A value from after its event teaches the model what serving can never know. Counts are exact, not sampled.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import parsed
from pytest_mlgates.policy import PointInTime
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: One missed materialisation is survived with this much to spare.
_SPARE = datetime.timedelta(minutes=30)


def feature_table(base: Path, policy: PointInTime) -> pd.DataFrame:
    """The table with its times parsed. Raises CouldNotEvaluate when it, a column or a time cannot be read."""
    if not policy.table or not policy.features:
        raise CouldNotEvaluate(
            'write table = "features.parquet" and features = {spend = "spend_at"} (a feature, and the column that '
            "tells when its value was known) in [tool.mlgates.point_in_time]"
        )
    table = _read(base / policy.table, "the feature table")
    _has(table, (policy.event_time, *policy.features, *policy.features.values(), *policy.ranges), policy.table)
    for column in {policy.event_time, *policy.features.values()}:
        table[column] = _times(table[column], column)
    if (missing := int(table[policy.event_time].isna().sum())) > 0:
        raise CouldNotEvaluate(f"{missing} of {len(table)} rows of {policy.table} have no {policy.event_time}")
    zoned = {column: table[column].dt.tz is not None for column in (policy.event_time, *policy.features.values())}
    if len(set(zoned.values())) > 1:
        bare = ", ".join(column for column, zone in zoned.items() if not zone)
        raise CouldNotEvaluate(
            f"of the times in {policy.table} {bare} has no time zone and the others have one: write all with a zone"
        )
    return table


def later_values(table: pd.DataFrame, policy: PointInTime) -> Iterator[Evidence]:
    """A feature: how many values were known only after their row's event, and how many have no time."""
    for feature, column in policy.features.items():
        there = table[feature].notna()
        lead = (table[column] - table[policy.event_time])[there]
        late = lead[lead > datetime.timedelta(0)]
        details: dict[str, object] = {"time": column, "zone": str(table[column].dt.tz or "none, taken as one clock")}
        if len(late):
            details |= {"latest": f"{late.max()} after its event", "rows": late.index[:5].tolist()}
        yield Evidence("values from after their event", len(late), len(lead), where=feature, details=details)
        untimed = int(lead.isna().sum())
        if untimed:
            yield Evidence("values without a time", untimed, len(lead), where=feature, details={"time": column})


def backfill(table: pd.DataFrame, base: Path, policy: PointInTime) -> Iterator[Evidence]:
    """Rows that a complete backfill has and the table lacks, and rows there twice.

    Raises CouldNotEvaluate when nothing says what complete is.
    """
    if not policy.events:
        if policy.rows is None:
            raise CouldNotEvaluate(
                "nothing says how many rows a complete backfill has: write events and keys, or rows, in "
                "[tool.mlgates.point_in_time]"
            )
        details = {"expected": policy.rows, "found": len(table)}
        yield Evidence("rows missing or too many", abs(policy.rows - len(table)), policy.rows, details=details)
        return
    events = _read(base / policy.events, "the label events")
    keys = list(policy.keys)
    if not keys:
        raise CouldNotEvaluate('events needs keys = ["customer_id", ...], the columns that tell events apart')
    _has(events, tuple(keys), policy.events)
    _has(table, tuple(keys), policy.table)
    if policy.event_time in keys:
        events[policy.event_time] = _times(events[policy.event_time], policy.event_time)
    try:
        joined = events[keys].drop_duplicates().merge(table[keys], on=keys, how="left", indicator=True)
    except ValueError as problem:
        raise CouldNotEvaluate(f"{policy.events} and {policy.table} cannot be joined on {keys}: {problem}") from None
    missing = int((joined["_merge"] == "left_only").sum())
    yield Evidence("events without a row", missing, len(events))
    yield Evidence("rows there twice", int(table.duplicated(keys).sum()), len(table))


def impossible_values(table: pd.DataFrame, policy: PointInTime) -> Iterator[Evidence]:
    """A feature: infinite values, and those outside its declared range."""
    import numpy as np

    for feature in dict.fromkeys((*policy.features, *policy.ranges)):
        if table[feature].dtype.kind not in "iuf":
            if feature in policy.ranges:
                raise CouldNotEvaluate(f"feature {feature!r} has a range but is {table[feature].dtype}, no number")
            continue
        values = table[feature].to_numpy(float)
        low, high = policy.ranges.get(feature, (-np.inf, np.inf))
        bad = np.isinf(values) | (values < low) | (values > high)
        details = {"range": [low, high], "rows": table.index[bad][:5].tolist()}
        yield Evidence("impossible values", int(bad.sum()), len(values), where=feature, details=details)


def expired_values(table: pd.DataFrame, policy: PointInTime) -> Iterator[Evidence]:
    """A feature: the share of training values older than `ttl`, which serving would have seen as missing."""
    if policy.ttl is None:
        return
    for feature, column in policy.features.items():
        age = (table[policy.event_time] - table[column])[table[feature].notna()].dropna()
        old = int((age > policy.ttl).sum())
        details = {"rows": old, "oldest": str(age.max()) if len(age) else ""}
        share = old / len(age) if len(age) else None
        yield Evidence("values older than the time to live", share, len(age), where=feature, details=details)


def hours_to_live(ttl: datetime.timedelta, where: str = "") -> Evidence:
    return Evidence("time to live", _hours(ttl), 1, unit=" h", where=where)


def hours_needed(policy: PointInTime) -> float | None:
    """How long a value must live: through a missed materialisation with half an hour to spare, and as long as the
    feature looks back plus one interval. None when no interval is declared."""
    if policy.interval is None:
        return None
    needed = 2 * policy.interval + _SPARE
    return _hours(max(needed, policy.window + policy.interval) if policy.window else needed)


def _hours(duration: datetime.timedelta) -> float:
    return duration.total_seconds() / 3600


def _read(file: Path, what: str) -> pd.DataFrame:
    try:
        table = parsed(file, file.read_bytes(), what)
    except OSError as problem:
        raise CouldNotEvaluate(f"{what} {file} cannot be read: {problem.strerror}") from None
    if table.empty:
        raise CouldNotEvaluate(f"{what} {file} has no rows")
    return table


def _has(table: pd.DataFrame, columns: tuple[str, ...], path: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise CouldNotEvaluate(f"{path} has no column {column!r}: {did_you_mean(column, map(str, table.columns))}")


def _times(values: pd.Series, column: str) -> pd.Series:
    import pandas as pd

    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    if values.dtype.kind in "iufb":
        raise CouldNotEvaluate(f"column {column!r} holds numbers, not times: write timestamps, 2026-01-31T12:00Z say")
    try:
        return pd.to_datetime(values, format="ISO8601")
    except ValueError as problem:
        raise CouldNotEvaluate(f"column {column!r} holds what is no ISO 8601 time: {problem}") from None

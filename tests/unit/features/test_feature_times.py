"""Point-in-time correctness: what is found, and what each unreadable thing is called."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure import point_in_time as measured
from pytest_mlgates.policy import PointInTime

POLICY = PointInTime(table="f.parquet", event_time="at", features={"spend": "spend_at"})
NOON = pd.Timestamp("2026-03-01T12:00Z")


def table(**columns: object) -> pd.DataFrame:
    """Three events an hour apart, each with a value known an hour before it."""
    at = pd.Series([NOON + pd.Timedelta(hours=i) for i in range(3)])
    made = {"customer": ["a", "b", "c"], "at": at, "spend": [1.0, 2.0, 3.0], "spend_at": at - pd.Timedelta(hours=1)}
    return pd.DataFrame(made | columns)


def written(base: Path, rows: pd.DataFrame, name: str = "f.parquet") -> Path:
    rows.to_csv(base / name, index=False) if name.endswith(".csv") else rows.to_parquet(base / name)
    return base


def policy(**changes: object) -> PointInTime:
    return PointInTime.model_validate(POLICY.model_dump() | changes)


class TestTheTable:
    def test_is_read_with_its_times(self, tmp_path: Path) -> None:
        read = measured.feature_table(written(tmp_path, table()), POLICY)
        assert read["spend_at"].dt.tz is not None

    def test_of_words_too(self, tmp_path: Path) -> None:
        read = measured.feature_table(written(tmp_path, table(), "f.csv"), policy(table="f.csv"))
        assert (read["at"] - read["spend_at"] == datetime.timedelta(hours=1)).all()

    @pytest.mark.parametrize(
        ("rows", "sentence"),
        [
            (table().iloc[:0], "has no rows"),
            (table().drop(columns="spend_at"), "f.parquet has no column 'spend_at': did you mean 'spend'?"),
            (table(at=[NOON, None, NOON]), "1 of 3 rows of f.parquet have no at"),
            (table(at=[1, 2, 3]), "column 'at' holds numbers, not times: write timestamps, 2026-01-31T12:00Z say"),
            (table(spend_at=["yesterday", "", ""]), "column 'spend_at' holds what is no ISO 8601 time"),
            (
                table(spend_at=["2026-03-01T11:00"] * 3),
                "of the times in f.parquet spend_at has no time zone and the others have one: write all with a zone",
            ),
        ],
        ids=["empty", "column", "no event time", "numbers", "words", "zones"],
    )
    def test_that_cannot_answer_is_named(self, tmp_path: Path, rows: pd.DataFrame, sentence: str) -> None:
        with pytest.raises(CouldNotEvaluate, match=re.escape(sentence)):
            measured.feature_table(written(tmp_path, rows), POLICY)

    def test_that_is_damaged_or_absent_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotEvaluate, match=r"the feature table .*f\.parquet cannot be read: No such file"):
            measured.feature_table(tmp_path, POLICY)
        file = written(tmp_path, table()) / "f.parquet"
        file.write_bytes(file.read_bytes()[:-20])
        with pytest.raises(CouldNotEvaluate, match="cannot be read as parquet"):
            measured.feature_table(tmp_path, POLICY)

    def test_that_is_not_declared_is_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotEvaluate, match=r"write table = .* in \[tool\.mlgates\.point_in_time\]"):
            measured.feature_table(tmp_path, PointInTime())


class TestLaterValues:
    @given(st.lists(st.integers(-48, 48), min_size=1, max_size=30))
    def test_every_value_from_after_its_event_is_counted(self, leads: list[int]) -> None:
        at = pd.Series([NOON] * len(leads))
        rows = pd.DataFrame({"at": at, "spend": 1.0, "spend_at": at + pd.to_timedelta(leads, unit="h")})
        (evidence,) = measured.later_values(rows, POLICY)
        assert evidence.value == sum(lead > 0 for lead in leads)
        assert evidence.n == len(leads)

    def test_a_value_known_at_the_very_moment_is_no_leak(self) -> None:
        rows = table()
        rows["spend_at"] = rows["at"]
        assert [e.value for e in measured.later_values(rows, POLICY)] == [0]

    def test_a_value_without_a_time_is_counted_apart_and_a_missing_value_needs_none(self) -> None:
        rows = table(spend=[1.0, 2.0, None])
        rows["spend_at"] = [rows["spend_at"][0], pd.NaT, pd.NaT]
        late, untimed = measured.later_values(rows, POLICY)
        assert (late.value, untimed.value, untimed.measure) == (0, 1, "values without a time")


class TestBackfill:
    def test_events_are_joined_on_their_keys(self, tmp_path: Path) -> None:
        events = table()[["customer", "at"]]
        written(tmp_path, pd.concat([events, table(customer=["d", "e", "f"])[["customer", "at"]]]), "events.parquet")
        rows = pd.concat([table(), table().iloc[:1]])
        missing, twice = measured.backfill(rows, tmp_path, policy(events="events.parquet", keys=("customer", "at")))
        assert (missing.value, missing.n, twice.value) == (3, 6, 1)

    def test_a_declared_number_of_rows_will_do(self, tmp_path: Path) -> None:
        assert [e.value for e in measured.backfill(table(), tmp_path, policy(rows=5))] == [2]

    def test_nothing_declared_is_nothing_proven(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotEvaluate, match="nothing says how many rows a complete backfill has"):
            list(measured.backfill(table(), tmp_path, POLICY))

    def test_events_need_keys(self, tmp_path: Path) -> None:
        written(tmp_path, table(), "events.parquet")
        with pytest.raises(CouldNotEvaluate, match="events needs keys"):
            list(measured.backfill(table(), tmp_path, policy(events="events.parquet")))
        with pytest.raises(CouldNotEvaluate, match=r"events\.parquet has no column 'custom': did you mean 'customer'"):
            list(measured.backfill(table(), tmp_path, policy(events="events.parquet", keys=("custom",))))


class TestValues:
    def test_outside_the_range_and_infinite_are_impossible_and_missing_is_not(self) -> None:
        rows = table(spend=[-1.0, np.inf, None])
        (evidence,) = measured.impossible_values(rows, policy(ranges={"spend": (0.0, 10.0)}))
        assert (evidence.value, evidence.details["rows"]) == (2, [0, 1])

    def test_a_range_of_words_is_refused(self) -> None:
        with pytest.raises(CouldNotEvaluate, match="feature 'customer' has a range but is"):
            list(measured.impossible_values(table(), policy(ranges={"customer": (0.0, 1.0)})))

    def test_older_than_the_time_to_live_would_be_missing_in_serving(self) -> None:
        rows = table()
        rows.loc[0, "spend_at"] = NOON - pd.Timedelta(days=8)
        (evidence,) = measured.expired_values(rows, policy(ttl="7d"))
        assert (evidence.value, evidence.n) == (pytest.approx(1 / 3), 3)

    def test_a_feature_with_no_values_at_all_proves_nothing(self) -> None:
        (evidence,) = measured.expired_values(table(spend=[None] * 3), policy(ttl="7d"))
        assert evidence.value is None


class TestTimeToLive:
    @pytest.mark.parametrize(
        ("declared", "hours"),
        [({"interval": "6h"}, 12.5), ({"interval": "6h", "window": "30d"}, 726.0), ({}, None)],
    )
    def test_needed_survives_a_missed_write_and_covers_the_window(
        self, declared: dict[str, str], hours: float | None
    ) -> None:
        assert measured.hours_needed(policy(**declared)) == hours

    def test_is_told_in_hours(self) -> None:
        assert measured.hours_to_live(datetime.timedelta(days=2)).value == 48.0

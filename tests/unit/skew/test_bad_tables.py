"""Tables that are not what they should be: one sentence each, and never a pass."""

from __future__ import annotations

import datetime
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skew_sides import baseline, judged, normal, table

from pytest_mlgates.baseline.make import make
from pytest_mlgates.engine.database import Asked
from pytest_mlgates.engine.source import open_table, written
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError, UsageError
from pytest_mlgates.verdict import Verdict


def opened(where: str, base: Path, **more: Any) -> Any:
    return open_table(where, base, what="the live sample", **more)


def says(where: str, base: Path, **more: Any) -> str:
    with pytest.raises(MlgatesError) as caught:
        opened(where, base, **more)
    return str(caught.value).replace(str(base), "BASE")


def parquet(file: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), file, row_group_size=1_000)
    return file


class TestColumns:
    def test_one_that_is_missing_fails(self) -> None:
        found = judged(baseline(x=normal(2_000, 1), y=normal(2_000, 2)), table("live", x=normal(2_000, 3)))
        assert found["y"].verdict is Verdict.FAIL
        assert found["y"].sentence == "sudden [y]: 'y' is missing in live"

    def test_one_of_another_kind_fails(self) -> None:
        found = judged(baseline(x=normal(2_000, 1)), table(x=normal(2_000, 2).astype(str)))
        assert found["x"].verdict is Verdict.FAIL
        assert found["x"].sentence == "sudden [x]: 'x' holds text values, in training it held number values"
        assert found["all"].verdict is Verdict.INCONCLUSIVE

    def test_whole_numbers_that_became_floats_by_a_null_are_the_same_kind(self) -> None:
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 5, 2_000)
        now = pd.Series(rng.integers(0, 5, 2_000)).where(rng.random(2_000) > 0.01)
        found = judged(baseline(x=codes), table(x=pa.array(now, pa.float64())), nulls=0.5)
        assert found["all"].verdict is Verdict.PASS

    def test_timestamps_that_lost_their_zone_fail(self) -> None:
        times = [datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=h) for h in range(500)]
        aware = pa.array(times, pa.timestamp("us", "UTC"))
        before = baseline(t=aware, x=normal(500, 1))
        naive = table(t=pa.array(times, pa.timestamp("us")), x=normal(500, 2))
        found = judged(before, naive)
        assert found["t"].verdict is Verdict.FAIL
        assert found["t"].sentence == (
            "sudden [t]: 't' has timestamps without a zone, in training they were with a zone: the same instant reads "
            "hours apart"
        )
        same = judged(before, table(t=aware, x=normal(500, 2)))
        assert same["all"].sentence.endswith("left out: t (times move on by themselves)")

    def test_a_feature_that_was_left_out_still_fails_when_it_is_null(self) -> None:
        before = baseline(key=np.arange(2_000), x=normal(2_000, 1))
        found = judged(before, table(key=pa.array([None] * 2_000, pa.int64()), x=normal(2_000, 2)))
        assert found["key"].verdict is Verdict.FAIL

    def test_nothing_left_to_compare_is_no_pass(self) -> None:
        before = baseline(key=np.arange(2_000))
        assert judged(before, table(key=np.arange(2_000)))["all"].verdict is Verdict.INCONCLUSIVE
        with pytest.raises(CouldNotEvaluate, match="has no features to compare"):
            judged(before, table(key=np.arange(2_000)), ignore=("key",))

    def test_policy_names_that_no_column_has(self) -> None:
        with pytest.raises(UsageError, match=r"features names 'agee', which training lacks: did you mean 'age'\?$"):
            judged(baseline(age=normal(200, 1)), table(age=normal(200, 2)), features=("agee",))


def test_an_empty_window_is_an_error() -> None:
    with pytest.raises(CouldNotEvaluate, match=r"^the live sample live has no rows, so nothing can be compared"):
        judged(baseline(x=normal(2_000, 1)), table("live", x=np.empty(0)))


class TestFiles:
    def test_that_are_not_there(self, tmp_path: Path) -> None:
        assert says("live.parquet", tmp_path) == "the live sample BASE/live.parquet does not exist"

    def test_of_another_format(self, tmp_path: Path) -> None:
        assert says("live.xlsx", tmp_path) == (
            "the live sample BASE/live.xlsx must be a .parquet or .csv file, a folder of Parquet files, or a URL"
        )

    def test_a_folder_of_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "live").mkdir()
        assert says("live", tmp_path) == "the live sample BASE/live is a folder without Parquet files"

    def test_cut_off_at_the_end(self, tmp_path: Path) -> None:
        file = parquet(tmp_path / "live.parquet", x=normal(5_000, 1))
        file.write_bytes(file.read_bytes()[:20_000])
        assert says("live.parquet", tmp_path).startswith("BASE/live.parquet is no whole Parquet file; write it again (")

    def test_damaged_in_the_middle_of_a_row_group(self, tmp_path: Path) -> None:
        file = parquet(tmp_path / "live.parquet", x=normal(5_000, 1))
        data = bytearray(file.read_bytes())
        data[8_500:9_500] = bytes(1_000)
        file.write_bytes(data)
        found = opened("live.parquet", tmp_path)
        with pytest.raises(
            CouldNotEvaluate, match=r"column 'x' of .*live\.parquet cannot be read, is the file whole\?"
        ):
            judged(baseline(x=normal(5_000, 1)), found)

    def test_of_two_schemas_in_one_folder(self, tmp_path: Path) -> None:
        (tmp_path / "live").mkdir()
        parquet(tmp_path / "live" / "a.parquet", x=[1.0])
        parquet(tmp_path / "live" / "b.parquet", x=[1.0], y=[1])
        assert says("live", tmp_path) == (
            "BASE/live/b.parquet has a column 'y' and BASE/live/a.parquet has not: give files of one schema"
        )
        parquet(tmp_path / "live" / "b.parquet", x=["1"])
        assert says("live", tmp_path) == (
            "column 'x' is double in BASE/live/a.parquet and string in BASE/live/b.parquet: give files of one schema"
        )

    def test_a_folder_is_one_table(self, tmp_path: Path) -> None:
        (tmp_path / "live" / "day=1").mkdir(parents=True)
        (tmp_path / "live" / "_temporary").mkdir()
        for name in ("day=1/a.parquet", "b.parquet", "_temporary/c.parquet"):
            parquet(tmp_path / "live" / name, x=normal(1_000, len(name)))
        assert opened("live", tmp_path).rows == 2_000

    def test_csv_is_read_as_the_same_rows(self, tmp_path: Path) -> None:
        rows = pd.DataFrame({"x": normal(3_000, 2), "w": ["a", "b", None] * 1_000})
        rows.to_csv(tmp_path / "live.csv", index=False)
        found = judged(make(opened("live.csv", tmp_path)), opened("live.csv", tmp_path))
        assert found["all"].verdict is Verdict.PASS
        with opened("live.csv", tmp_path).column("w") as column:
            assert (dict(column.words().counts), column.words().nulls) == ({"a": 1_000, "b": 1_000}, 1_000)

    def test_csv_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "live.csv").write_text("x,y\n1,2\n3,4,5\n")
        assert says("live.csv", tmp_path).startswith("BASE/live.csv cannot be read as CSV: ")


class TestDatabases:
    def test_rows_are_named_by_a_table_or_a_query(self, tmp_path: Path) -> None:
        said = "the live sample is a database's URL: say which rows, with one of table and query"
        assert says("duckdb://x.db", tmp_path) == said
        assert says("duckdb://x.db", tmp_path, table="t", query="select 1") == said
        assert says("x.parquet", tmp_path, table="t") == (
            "table and query are for a database's URL; the live sample 'x.parquet' is a path"
        )

    def test_a_database_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        file = tmp_path / "live.db"
        assert says(f"duckdb://{file}", tmp_path, table="t") == "there is no database BASE/live.db"
        assert not file.exists()

    def test_a_table_that_is_not_there(self, tmp_path: Path) -> None:
        duckdb = pytest.importorskip("duckdb")
        file = tmp_path / "live.db"
        duckdb.connect(file).close()
        said = says(f"duckdb://{file}", tmp_path, table="t")
        assert said.startswith("duckdb://BASE/live.db did not answer while opening it: ")

    def test_an_unknown_backend_names_what_to_install(self, tmp_path: Path) -> None:
        said = says("nonsense://host/db", tmp_path, table="t")
        assert said.endswith('pip install "ibis-framework[nonsense]"')

    def test_one_that_never_answers_is_given_up(self) -> None:
        """A real server that takes the connection and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as silent:

            def question() -> bytes:
                with socket.create_connection(silent.getsockname()) as line:
                    return line.recv(1)

            asked = Asked("postgres://db/live", 0.2)
            said = "^postgres://db/live did not answer within 0.2 s while opening it$"
            with pytest.raises(CouldNotEvaluate, match=said):
                asked(question, "opening it")
            # And it is not waited for again.
            with pytest.raises(CouldNotEvaluate, match="did not answer"):
                asked(lambda: 1, "asking again")

    def test_what_it_says_holds_no_password(self) -> None:
        def refused() -> None:
            raise ConnectionError("cannot connect to postgres://me:secret@db/live")

        with pytest.raises(CouldNotEvaluate) as caught:
            Asked("postgres://db/live", 5)(refused, "opening it")
        assert str(caught.value) == (
            "postgres://db/live did not answer while opening it: ConnectionError: cannot connect to postgres://db/live"
        )

    def test_a_thread_of_a_database_ends_with_it(self) -> None:
        before = threading.active_count()
        asked = Asked("db", 5)
        assert asked(lambda: 1, "asking") == 1
        del asked
        assert threading.active_count() == before

    def test_passwords_belong_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIVE_URL", "postgres://me:secret@db/live")
        assert written("$LIVE_URL", "sample") == "postgres://me:secret@db/live"
        assert written("data/live.parquet", "sample") == "data/live.parquet"
        with pytest.raises(UsageError, match=r"^sample holds a password: set the URL as a variable, and write "):
            written("postgres://me:secret@db/live", "sample")
        with pytest.raises(UsageError, match=r"^sample = '\$NO_SUCH': the environment has no variable NO_SUCH$"):
            written("$NO_SUCH", "sample")

"""Every engine gives the same figures and the same verdicts on the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skew_sides import gate

from pytest_mlgates.baseline.make import make
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine.source import Engine, open_table
from pytest_mlgates.measure.skew.sample import skew
from pytest_mlgates.policy import Skew

ROWS = 6_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two windows of every kind of column; in the second one some have moved."""
    base = tmp_path_factory.mktemp("windows")
    for name, moved in (("before", 0), ("after", 1)):
        rng = np.random.default_rng(moved)
        heavy = rng.lognormal(sigma=3, size=ROWS)
        heavy[::100] = np.inf
        columns: dict[str, Any] = {
            "same": rng.normal(size=ROWS),
            "moved": rng.normal(size=ROWS) + 0.6 * moved,
            "heavy": heavy,
            "holes": np.where(rng.random(ROWS) < 0.1 + 0.2 * moved, np.nan, rng.normal(size=ROWS)),
            "nulls": pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.1),
            "age": rng.integers(0, 90, ROWS),
            "wide": rng.integers(0, 10**9, ROWS) // 10 * 5,
            "code": rng.integers(0, 5, ROWS),
            "word": np.array(["red", "green", "blue" if not moved else "BLUE"])[rng.integers(0, 3, ROWS)],
            "many": np.char.add("w", rng.zipf(1.5, ROWS).astype(str)),
            "flag": rng.random(ROWS) < 0.3,
            "constant": np.ones(ROWS) if moved else rng.normal(size=ROWS),
            "id": np.arange(ROWS),
            "mail": np.char.add("m", np.arange(ROWS).astype(str)),
            "vector": pa.array(list(rng.normal(1, 1, (ROWS, 6)).astype("float32")), pa.list_(pa.float32(), 6)),
        }
        pq.write_table(pa.table(columns), base / f"{name}.parquet", row_group_size=3_000)
    return base


def both(engine: Engine, folder: Path) -> tuple[Any, Any]:
    return tuple(open_table(f"{name}.parquet", folder, what="it", engine=engine) for name in ("before", "after"))  # type: ignore[return-value]


def figures(engine: Engine, folder: Path) -> dict[str, Any]:
    """Verdicts and numbers of a baseline file and of two windows, all to nine digits."""
    before, after = both(engine, folder)
    made = make(before)
    found: dict[str, Any] = {"baseline": _plain(json.loads(made.to_json()))}
    for name, reference in (("windows", Reference(table=before)), ("file", Reference(baseline=made))):
        found[name], found[f"{name} figures"] = judged_and_figures(reference, after)
    return found


def judged_and_figures(reference: Reference, after: Any) -> tuple[Any, Any]:
    asked = Skew()
    evidence = skew(reference, after, asked)
    rule = gate().as_in_training(asked)
    said = [(one.title, rule(one)) for one in evidence]
    return (
        [(title, str(one.verdict), one.sentence.replace(reference.name, "IT")) for title, one in said],
        _plain(dict(evidence[-1].details["features"])),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def of_arrow(folder: Path) -> dict[str, Any]:
    return figures("arrow", folder)


def test_arrow_names_what_moved(of_arrow: dict[str, Any]) -> None:
    fails = [title for title, verdict, _ in of_arrow["windows"] if verdict == "FAIL"]
    assert fails == ["psi [moved]", "psi [holes]", "psi [word]", "psi [constant]", "largest psi [constant]"]
    assert [one[:2] for one in of_arrow["windows"]] == [one[:2] for one in of_arrow["file"]]


def test_duckdb_says_what_arrow_says(of_arrow: dict[str, Any], folder: Path) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("ibis")
    assert figures("duckdb", folder) == of_arrow


@pytest.mark.long
def test_spark_says_what_arrow_says(of_arrow: dict[str, Any], folder: Path) -> None:
    pytest.importorskip("pyspark")
    assert figures("spark", folder) == of_arrow


def test_a_table_of_a_database_is_a_sample(of_arrow: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("ibis")
    with duckdb.connect(tmp_path / "live.db") as database:
        database.execute(f"create table live as select * from '{folder / 'after.parquet'}'")
    url = f"duckdb://{tmp_path / 'live.db'}"
    made = make(both("arrow", folder)[0])
    asked: tuple[dict[str, str], ...] = ({"table": "live"}, {"query": "select * from live where 1 = 1"})
    for more in asked:
        sample = open_table(url, tmp_path, what="it", **more)  # type: ignore[arg-type]
        assert judged_and_figures(Reference(baseline=made), sample)[0] == of_arrow["file"]

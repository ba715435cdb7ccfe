"""`mlgates baseline`: what the training data was like, as a file and with the model's run, so that skew can be seen."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mlgates.baseline.document import Baseline

HELP = "write what the training data was like (bins, tables, nulls; no rows), for the gate skew"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", help="training data: a Parquet file or folder, a CSV file, or a database's URL")
    parser.add_argument("--table", default="", help="the table, where DATA is a URL")
    parser.add_argument("--query", default="", help="or the query")
    parser.add_argument("--engine", choices=("arrow", "duckdb", "spark"), default="arrow", help="what counts the rows")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--version", default="", help="keep it with the run of this version: number, alias or URI")
    kept.add_argument("--run", default="", dest="run_id", metavar="RUN_ID", help="keep it with this run")
    parser.add_argument("--out", type=Path, help="write it to this file (default: baseline.json, if kept with no run)")
    parser.add_argument("--importances", type=Path, help="a JSON file: feature -> importance")
    parser.add_argument("--model", help="which model of the settings")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates.baseline.document import FILE
    from pytest_mlgates.baseline.make import make
    from pytest_mlgates.cache import write_atomically
    from pytest_mlgates.engine.source import open_table
    from pytest_mlgates.settings import load

    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    policy = settings.skew
    run_id = _run_id(given) if given.version or given.run_id else ""
    table = open_table(
        given.data,
        Path.cwd(),
        what="the training data",
        engine=given.engine,
        table=given.table,
        query=given.query,
        timeout=policy.timeout,
    )
    made = make(
        table,
        without={*settings.reserved_columns, *policy.ignore},
        importances=_importances(given.importances) if given.importances else None,
        encoders={name: by for name, by in policy.encoders.items() if name in table.types()},
        keep=policy.features,
    )
    out = given.out or (None if run_id else Path("baseline.json"))
    print(_said(made))
    if out:
        write_atomically(out.absolute(), made.to_json().encode())
        print(f"wrote {out}")
    if run_id:
        from pytest_mlgates.adapters.mlflow.artifacts import RunTexts
        from pytest_mlgates.doors.outside import registry_uri

        RunTexts(registry_uri(settings, os.environ)).write(run_id, FILE, made.to_json())
        print(f"kept as {FILE} with run {run_id}")
    return 0


def _run_id(given: argparse.Namespace) -> str:
    """The run to keep it with, looked up before time is spent on the data."""
    if given.run_id:
        return str(given.run_id)
    from pytest_mlgates.commands.ledger_options import opened
    from pytest_mlgates.errors import UsageError
    from pytest_mlgates.promotion.proof import existing

    settings, doors = opened(given)
    version = existing(doors, settings, given.version)
    if not version.run_id:
        raise UsageError(
            f"{version} was registered without a run, so nothing can be kept with it: write --out FILE, and name that "
            "file as baseline in [tool.mlgates.skew]"
        )
    return version.run_id


def _importances(file: Path) -> dict[str, float]:
    from pytest_mlgates.errors import UsageError

    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in data.items()}
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}") from None
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f'{file} must be a JSON table of importances, such as {{"age": 0.4}}') from None


def _said(made: Baseline) -> str:
    out = [name for name, column in made.columns.items() if column.left_out]
    lines = [
        f"{made.source}: {made.rows:,} rows, {len(made.columns) - len(out)} of {len(made.columns)} columns described"
    ]
    lines += [f"  left out: {name} ({made.columns[name].left_out})" for name in out]
    return "\n".join(lines)

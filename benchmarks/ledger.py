"""What the ledger costs and what it keeps: one table of its promises, each with what was found.

    python benchmarks/ledger.py [--rounds 100] [--operations 2000] [--only cost|promises]

The cost is that of a promotion through it against a bare alias set, on one sqlite registry, in one run; it ends with
1 if a promotion costs more than 20 bare alias sets. The promises are held by tests, in their long form: 16 processes
at once do so many operations on sqlite, on a server and on PostgreSQL.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from pytest_mlgates.adapters.mlflow.log import MlflowLog
from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.ledger import Entry, Kind
from pytest_mlgates.promotion.book import Book, begin
from pytest_mlgates.promotion.projector import change
from pytest_mlgates.promotion.reconcile import reconcile

LIMIT = 20
VERSIONS = 4
_PROCESSES = "tests/ledger/test_processes.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--operations", type=int, default=2000)
    parser.add_argument("--only", choices=("cost", "promises"))
    given = parser.parse_args()
    failed = given.only != "promises" and cost(given.rounds)
    return int(failed or (given.only != "cost" and promises(given.operations)))


def promises(operations: int) -> bool:
    """True when one is not kept."""
    # Of what has a long form, the small one shows nothing more.
    chosen = ["tests/ledger", "tests/unit/ledger", "-m", "", "--deselect", f"{_PROCESSES}::test_sixteen_processes["]
    command = [sys.executable, "-m", "pytest", "-q", *chosen]
    environ = {**os.environ, "MLGATES_TEST_OPERATIONS": str(operations)}
    return subprocess.run(command, cwd=Path(__file__).parents[1], env=environ, check=False).returncode != 0


def cost(rounds: int) -> bool:
    """True when a promotion costs more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        with contextlib.redirect_stderr(None):
            registry = _registry(uri)
        log = MlflowLog(uri, "bench")
        book = begin(log, registry, "champion", actor="benchmark")
        bare, promoted, started = [], [], []
        # Turn about, so that whatever else the machine does falls on both.
        for number in range(rounds):
            to = str(number % VERSIONS + 1)
            bare.append(_seconds(lambda to=to: registry._client.set_registered_model_alias("bench", "bare", to)))
            promoted.append(_seconds(lambda to=to: _promote(book, registry, to)))
            started.append(_seconds(lambda: reconcile(Book(log), registry, "champion", actor="benchmark")))
        entries = len(book.refresh().rulings)
    ratio = statistics.median(promoted) / statistics.median(bare)
    print(f"{rounds} rounds on sqlite, medians; {entries} entries in the log at the end")
    print(f"  bare alias set                       {statistics.median(bare) * 1e3:7.1f} ms")
    print(f"  promotion through the ledger         {statistics.median(promoted) * 1e3:7.1f} ms")
    print(f"  reconcile at a start, nothing to do  {statistics.median(started) * 1e3:7.1f} ms")
    print(f"  promotion / bare alias set           {ratio:7.1f} x (at most {LIMIT})")
    return ratio > LIMIT


def _registry(uri: str) -> MlflowRegistry:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri, uri)
    client.create_registered_model("bench")
    for _ in range(VERSIONS):
        client.create_model_version("bench", "runs:/0123/model", run_id="0123", await_creation_for=0)
    client.set_registered_model_alias("bench", "champion", str(VERSIONS))
    return MlflowRegistry(uri, "bench", Path("/nonexistent"))


def _promote(book: Book, registry: MlflowRegistry, to: str) -> None:
    state = book.refresh()
    entry = Entry(Kind.PROMOTE, "benchmark", from_=state.champion, to=to, after=state.last, reason="measured")
    assert change(book, registry, "champion", entry).serves


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())

"""Registered models made for a test, and many processes at work on one of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from . import worker
from .checker import Said, violations
from .moves import ALIAS, book_of, promote, repair

#: The fixtures that give the URI of a store; a server and a PostgreSQL are started for the tests that need them.
EVERY_STORE = [
    "sqlite",
    pytest.param("server", marks=pytest.mark.services),
    pytest.param("postgres", marks=pytest.mark.services),
]


def make_model(uri: str, model: str, *, versions: int, champion: str = "") -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri, uri)
    client.create_registered_model(model)
    for _ in range(versions):
        client.create_model_version(model, "runs:/0123/model", run_id="0123", await_creation_for=0)
    if champion:
        client.set_registered_model_alias(model, ALIAS, champion)


def finish(processes: list[ForkServerProcess], bound: float) -> None:
    """Every process ends well within the bound, or the test fails and none is left."""
    ends = time.monotonic() + bound
    try:
        for process in processes:
            process.join(max(0.1, ends - time.monotonic()))
        assert [process.exitcode for process in processes] == [0] * len(processes)
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
                process.join(10)


@dataclass
class Crowd:
    """What came of many processes at work on one model."""

    outcomes: Counter[str]
    violations: list[str]
    unexplained: int
    left: str
    entries: int
    seconds: float

    def __str__(self) -> str:
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return (
            f"{sum(self.outcomes.values())} operations ({told}), {self.entries} entries, "
            f"{len(self.violations)} violations, {self.unexplained} entries unexplained, {self.seconds:.1f} s"
        )


def crowd(context: ForkServerContext, uri: str, folder: Path, *, workers: int, operations: int, bound: float) -> Crowd:
    """`workers` processes do `operations` in all; the history is checked against what they were told."""
    model = f"crowd of {operations}"
    make_model(uri, model, versions=8, champion="1")
    log, registry = worker.stores(uri, model)
    book = book_of(log, registry)
    promote(book, registry, "2")
    first = {row.number for row in log.rows()}
    share = operations // workers
    told = [folder / f"told-{n}.jsonl" for n in range(workers)]
    began = time.monotonic()
    processes = [
        context.Process(target=worker.crowd_member, args=(uri, model, share, 8, n, str(told[n])))
        for n in range(workers)
    ]
    for process in processes:
        process.start()
    finish(processes, bound)
    seconds = time.monotonic() - began
    report = repair(log, registry)
    lines = [json.loads(line) for file in told for line in file.read_text().splitlines()]
    said = [Said(**{k: v for k, v in line.items() if k != "why"}) for line in lines]
    setup = [Said(row.facts["mlgates.operation"], "1", "2", "done", 0, 0) for row in log.rows() if row.number == 2]
    rows = {row.number: row.facts for row in log.rows()}
    final = registry.find(ALIAS)
    known = {client.operation for client in said}
    return Crowd(
        outcomes=Counter(client.outcome for client in said),
        violations=violations([*setup, *said], rows, final.number if final else ""),
        unexplained=sum(
            facts["mlgates.operation"] not in known and facts["mlgates.kind"] != "repair"
            for number, facts in rows.items()
            if number not in first
        ),
        left=report.trouble or "; ".join(report.did),
        entries=len(rows),
        seconds=seconds,
    )

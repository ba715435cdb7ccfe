"""What the children of the reliability tests run. Preloaded in their forkserver, so MLflow is imported once."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.store.model_registry.sqlalchemy_store
import mlflow.tracking  # noqa: F401 - both are here to be preloaded

from pytest_mlgates.adapters.mlflow.log import MlflowLog
from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.errors import ActionFailed, ChampionMoved, CouldNotEvaluate
from pytest_mlgates.ledger import Entry, Kind, rollback_targets
from pytest_mlgates.promotion.book import Book
from pytest_mlgates.promotion.projector import change

from . import moves
from .steps import Tape, Watched, die


def stores(uri: str, model: str) -> tuple[MlflowLog, MlflowRegistry]:
    return MlflowLog(uri, model), MlflowRegistry(uri, model, Path("/nonexistent"))


def crowd_member(uri: str, model: str, operations: int, versions: int, seed: int, told: str) -> None:
    """Promote and roll back `operations` times against the others, and write down what was answered."""
    dice = random.Random(seed)
    log, registry = stores(uri, model)
    book = Book(log)
    with Path(told).open("w") as file:
        for _ in range(operations):
            file.write(json.dumps(_one(book, registry, dice, versions)) + "\n")
            file.flush()


def killed_at(uri: str, jobs: list[tuple[str, str, int]]) -> None:
    """In one grandchild each: do `act` to `model` and die by SIGKILL at the given call."""
    log, _ = stores(uri, jobs[0][0])
    log.exists()
    for model, act, position in jobs:
        # Connections must not cross a fork; the rest of an opened store may, and opening one costs more than the test.
        # A server's client keeps one session a process.
        store = log._client._get_registry_client().store
        if hasattr(store, "engine"):
            store.engine.dispose()
        child = os.fork()
        if child == 0:
            mine, registry = stores(uri, model)
            tape = Tape({position: die})
            to = ("3",) if act == "promote" else ()
            getattr(moves, act)(Book(Watched(mine, tape)), Watched(registry, tape), *to)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"{model} was not killed"


def _one(book: Book, registry: MlflowRegistry, dice: random.Random, versions: int) -> dict[str, Any]:
    state = _bounded(book.refresh)
    targets = rollback_targets(state)
    back = bool(targets) and dice.random() < 0.4
    others = [str(n) for n in range(1, versions + 1) if str(n) != state.champion]
    entry = Entry(
        Kind.ROLLBACK if back else Kind.PROMOTE,
        f"pid {os.getpid()}",
        from_=state.champion,
        to=targets[0] if back else dice.choice(others),
        after=state.last,
        reason="drawn",
    )
    started = time.monotonic_ns()
    outcome, why = "done", ""
    try:
        change(book, registry, moves.ALIAS, entry)
    except ChampionMoved as problem:
        outcome, why = "moved", str(problem)
    except ActionFailed as problem:
        outcome, why = "unknown", str(problem)
    said = {"operation": entry.operation, "judged_against": state.champion, "to": entry.to, "outcome": outcome}
    return {**said, "started": started, "ended": time.monotonic_ns(), "why": why}


def _bounded(ask: Callable[[], Any]) -> Any:
    """A busy store may time out on a read; three times running is a failure."""
    for _ in range(2):
        try:
            return ask()
        except CouldNotEvaluate:
            continue
    return ask()

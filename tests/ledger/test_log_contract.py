"""What the ledger relies on a log for, held against every implementation, the stand-in in memory included."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.ledger import PROJECTED, Entry, Kind, facts, record

from . import worker
from .memory import MemoryLog, MemoryRegistry
from .moves import ALIAS, book_of, promote, repair, roll_back
from .stores import EVERY_STORE, make_model


def _stores(kind: str, request: pytest.FixtureRequest) -> tuple[Any, Any]:
    if kind == "memory":
        return MemoryLog(), MemoryRegistry(champion="1")
    uri = request.getfixturevalue(kind)
    model = f"model {uuid.uuid4().hex[:6]} it's"
    make_model(uri, model, versions=4, champion="1")
    return worker.stores(uri, model)


@pytest.fixture(params=["memory", *EVERY_STORE])
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A log that does not exist yet, and its registry: four versions, v1 champion."""
    return _stores(request.param, request)


def test_a_log_as_the_ledger_needs_it(pair: tuple[Any, Any]) -> None:
    log, _ = pair
    assert not log.exists()
    assert log.mark() == ""
    assert log.create()
    assert log.exists()
    assert not log.create(), "creating it again must be noticed"
    assert log.rows() == []
    entries = [
        Entry(Kind.HOLD, "me", to=str(n), reason=f"nö {n} 'quoted' \N{SNOWMAN}\nsecond line") for n in range(1, 13)
    ]
    assert [log.add(facts(entry)) for entry in entries] == list(range(1, 13))
    assert [record(row.number, row.facts).entry for row in log.rows()] == entries
    assert [row.number for row in log.rows(since=10)] == [10, 11, 12]
    log.note(11, PROJECTED, "now")
    assert [record(row.number, row.facts).projected for row in log.rows(since=10)] == ["", "now", ""]
    log.set_mark("begun")
    assert log.mark() == "begun"


def test_a_run_is_linked_and_long_reasons_fit(pair: tuple[Any, Any]) -> None:
    log, _ = pair
    log.create()
    entry = Entry(Kind.HOLD, "me", to="1", reason="x" * 50_000, run="0123456789abcdef")
    assert log.add(facts(entry), entry.run) == 1
    read = record(1, log.rows()[0].facts).entry
    assert read is not None
    assert len(read.reason) == 20_000


def test_the_whole_life_of_a_champion(pair: tuple[Any, Any]) -> None:
    log, registry = pair
    book = book_of(log, registry)
    assert promote(book, registry, "2").serves
    assert promote(book, registry, "3").serves
    assert roll_back(book, registry).champion == "2"
    found = registry.find(ALIAS)
    assert found is not None
    assert found.number == "2"
    assert repair(log, registry).did == ()
    fresh = book_of(log, registry).state
    assert [(r.entry.kind, r.entry.to, bool(r.record.projected)) for r in fresh.rulings] == [
        ("genesis", "1", False),
        ("promote", "2", True),
        ("promote", "3", True),
        ("rollback", "2", True),
    ]


def test_mlflow_refuses_what_cannot_be(sqlite: str) -> None:
    make_model(sqlite, "m", versions=1)
    log, _ = worker.stores(sqlite, "m")
    with pytest.raises(ActionFailed, match=r"appending to the ledger: .* was 'm\.mlgates-ledger' or 'm' deleted\?"):
        log.add(facts(Entry(Kind.HOLD, "me")))
    with pytest.raises(ActionFailed, match="noting"):
        log.note(7, PROJECTED, "now")
    gone, _ = worker.stores(sqlite, "unheard-of")
    with pytest.raises(CouldNotEvaluate, match="looking up the model"):
        gone.mark()


def test_deleting_shows(sqlite: str) -> None:
    """MLflow never gives a deleted number again, but begins at 1 after the model was deleted: both are noticed."""
    from mlflow.tracking import MlflowClient

    from pytest_mlgates.ledger import LedgerBroken
    from pytest_mlgates.promotion.book import Book, read

    make_model(sqlite, "m", versions=4, champion="1")
    log, registry = worker.stores(sqlite, "m")
    book = book_of(log, registry)
    promote(book, registry, "2")
    client = MlflowClient(sqlite, sqlite)
    client.delete_model_version(log.name, "2")
    assert log.add(facts(Entry(Kind.HOLD, "me"))) == 3
    with pytest.raises(LedgerBroken, match="entry 2 is missing: it was deleted"):
        Book(log).refresh()
    client.delete_registered_model(log.name)
    with pytest.raises(LedgerBroken, match="was deleted"):
        read(log)
    client.create_registered_model(log.name)
    with pytest.raises(LedgerBroken, match="was recreated"):
        read(log)
    assert log.add(facts(Entry(Kind.GENESIS, "me"))) == 1
    with pytest.raises(LedgerBroken, match="was recreated"):
        read(log)


def test_a_dead_server_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    log, _ = worker.stores("http://user:secret@127.0.0.1:9", "m")
    with pytest.raises(CouldNotEvaluate, match=r"the registry http://127\.0\.0\.1:9 did not answer") as caught:
        log.rows()
    assert "secret" not in str(caught.value)

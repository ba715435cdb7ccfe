"""What the tests do to a champion, in one call each; every one may be cut off at any point."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.ledger import Entry, Kind, State, rollback_target
from pytest_mlgates.promotion.book import Book, begin
from pytest_mlgates.promotion.projector import Projected, change
from pytest_mlgates.promotion.reconcile import Report, reconcile

ALIAS = "champion"


def book_of(log: Any, registry: Any) -> Book:
    return begin(log, registry, ALIAS, actor="tests")


def promotion(state: State, to: str, **more: Any) -> Entry:
    """To `to`, judged against what the log says now."""
    return Entry(Kind.PROMOTE, "tests", from_=state.champion, to=to, after=state.last, reason="better", **more)


def promote(book: Book, registry: Any, to: str) -> Projected:
    return change(book, registry, ALIAS, promotion(book.refresh(), to))


def roll_back(book: Book, registry: Any, to: str = "") -> Projected:
    state = book.refresh()
    target = to or rollback_target(state)
    entry = Entry(Kind.ROLLBACK, "tests", from_=state.champion, to=target, after=state.last, reason="it was bad")
    return change(book, registry, ALIAS, entry)


def repair(log: Any, registry: Any, **how: Any) -> Report:
    """What the next start does."""
    return reconcile(book_of(log, registry), registry, ALIAS, actor="next start", **how)

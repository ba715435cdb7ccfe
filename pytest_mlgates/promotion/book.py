"""The log as one process has read it: opened, kept up to date, appended to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from pytest_mlgates.errors import ActionFailed, ChampionMoved, CouldNotEvaluate, MlgatesError
from pytest_mlgates.ledger import (
    CHANGES,
    Entry,
    Fate,
    Kind,
    LedgerBroken,
    OutcomeUnknown,
    Record,
    Ruling,
    State,
    digest_on_record,
    facts,
    record,
    replay,
)
from pytest_mlgates.ports import Log, Registry

#: How often an append without an answer is looked up and repeated before its outcome is called unknown.
ATTEMPTS = 4


class Book:
    """A log with its last replay. `refresh` reads only what can have changed since."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.state: State = replay(())
        self._records: dict[int, Record] = {}

    def refresh(self, *, sound: bool = True) -> State:
        """The log as it stands now. Raises CouldNotEvaluate, and LedgerBroken for a log that nothing may act on
        (unless `sound` is False: to show it, or to accept its problems).

        Facts given at creation never change, so only rows from the oldest pending one on are read again.
        """
        since = min([r.number for r in self.state.pending] + [max(self._records, default=1)])
        fresh = {row.number: record(row.number, row.facts) for row in self.log.rows(since)}
        self._records = {number: old for number, old in self._records.items() if number < since} | fresh
        self.state = replay(self._records.values())
        if sound:
            self.state.require_sound()
        return self.state


def read(log: Log) -> Book | None:
    """The book of a model, or None where none was begun (an empty log is there, but not begun). Changes nothing.

    Raises LedgerBroken when the log was deleted or recreated since, or cannot be relied on, and CouldNotEvaluate
    when the registry does not answer.
    """
    mark = log.mark()
    if not log.exists():
        if mark:
            raise LedgerBroken(
                f"the ledger {log.name!r} was deleted: the model says it has one (tag mlgates.ledger). Restore it from "
                "a backup of the registry; to begin a new one and lose this history, delete that tag first"
            )
        return None
    book = Book(log)
    state = book.refresh()
    first = state.rulings[0].entry.operation if state.rulings else ""
    if mark and mark != first:
        raise LedgerBroken(
            f"the ledger {log.name!r} was recreated: it begins with operation {first or 'nothing'}, but the model says "
            f"{mark} (tag mlgates.ledger). Restore it from a backup; to accept the new one, delete that tag"
        )
    return book if first else None


def digests(log: Log) -> Callable[[str], str]:
    """A call away: the digest that the ledger has of a version's files, "" where no entry says it. Raises as `read`."""

    def recorded(number: str) -> str:
        book = read(log)
        return digest_on_record(book.state, number) if book else ""

    return recorded


def begin(log: Log, registry: Registry, reference: str, *, actor: str) -> Book:
    """The book of a model; where there is none, one is begun whose genesis entry names the present champion.

    Any number of processes may do this at once: the entry numbered 1 wins. Raises what `read` raises, and
    ActionFailed without the right to create it.
    """
    book = read(log)
    if book is None:
        log.create()
        book = Book(log)
        book.refresh()
    if not book.state.rulings:
        present = registry.find(reference)
        why = f"{reference!r} was {present}" if present else f"{reference!r} meant no version"
        log.add(facts(Entry(Kind.GENESIS, actor, to=present.number if present else "", reason=why)))
        book.refresh()
        if not book.state.rulings:
            raise CouldNotEvaluate(f"{log.name} does not show the entry that was just written to it")
    if not log.mark():
        log.set_mark(book.state.rulings[0].entry.operation)
    return book


def append(book: Book, entry: Entry, *, sound: bool = True) -> Ruling:
    """Write `entry`, and know for certain that it counts (or is noted, for a kind that changes nothing).

    Raises ChampionMoved when another change came first, LedgerBroken when the log cannot be relied on, ActionFailed
    when the store refused the entry, OutcomeUnknown when nobody can say whether it was written: whatever is raised,
    the reference was not moved.
    """
    try:
        _still_valid(book.refresh(sound=sound), entry)
    except CouldNotEvaluate as problem:
        raise ActionFailed(f"nothing was changed: {problem}") from None
    return _judged(book, _written(book, entry, sound))


def _still_valid(state: State, entry: Entry) -> None:
    """Spares the log an entry that could not count."""
    if entry.kind in CHANGES and (entry.after, entry.from_) != (state.last, state.champion):
        raise ChampionMoved(_moved(state, entry, state.champion))


def _written(book: Book, entry: Entry, sound: bool) -> Ruling:
    """Append until the log shows the operation; repeating is safe because an operation counts once."""
    problem: MlgatesError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            _pause(attempt)
        try:
            if attempt == 0 or book.refresh(sound=sound).of(entry.operation) is None:
                book.log.add(facts(entry), entry.run)
            found = book.refresh(sound=sound).of(entry.operation)
            if found is not None:
                return found
        except ActionFailed as refusal:
            if problem is None:
                raise ActionFailed(f"nothing was changed: {refusal}") from None
            problem = refusal
        except CouldNotEvaluate as trouble:
            problem = trouble
    raise OutcomeUnknown(
        f"it is unknown whether the {entry.kind} of v{entry.to} was written to {book.log.name} (operation "
        f"{entry.operation}): {problem or 'the log does not show it'}. `mlgates reconcile` finishes it if it was",
        operation=entry.operation,
    )


def _pause(attempt: int) -> None:
    """Several writers that failed together must not come back together."""
    time.sleep(random.uniform(0, 0.05 * 2**attempt))


def _judged(book: Book, ruling: Ruling) -> Ruling:
    if ruling.fate in (Fate.COUNTS, Fate.NOTED):
        return ruling
    raise ChampionMoved(_moved(book.state, ruling.entry, ruling.before))


def _moved(state: State, entry: Entry, champion: str) -> str:
    judged = f"v{entry.from_}" if entry.from_ else "no champion"
    now = f"v{champion}" if champion else "nothing"
    if judged == now:
        return (
            f"judged against {judged}, but the champion changed and came back since "
            f"(entry {entry.after} was the last change then, {state.last} is now): run again"
        )
    return f"judged against {judged}, but {now} is champion now: run again"

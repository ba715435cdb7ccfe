"""The log in, the state out: pure, by number, never by time."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_mlgates.ledger.entry import CHANGES, Entry, Kind
from pytest_mlgates.ledger.trouble import LedgerBroken
from pytest_mlgates.ledger.wire import Record


class Fate(enum.StrEnum):
    """What became of an entry."""

    COUNTS = "counts"
    NOTED = "noted"
    STALE = "stale"
    REPEATED = "repeated"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One record, what became of it and why, and who was champion before and after it."""

    record: Record
    fate: Fate
    before: str
    champion: str
    why: str = ""

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def entry(self) -> Entry:
        """The entry. Only broken rulings have none; ask for `fate` first."""
        assert self.record.entry is not None
        return self.record.entry

    @property
    def pending(self) -> bool:
        """True when the move that follows from it was begun and nobody has noted its end."""
        return self.record.open and self.fate in (Fate.COUNTS, Fate.NOTED)


@dataclass(frozen=True, slots=True)
class State:
    """What the log says. `last` is the number of the last entry that changed the champion, `problems` maps the
    numbers of missing and broken entries nobody has accepted to what is wrong with them."""

    rulings: tuple[Ruling, ...]
    champion: str
    last: int
    problems: Mapping[int, str]

    def of(self, operation: str) -> Ruling | None:
        """The first entry with this operation id: the one that can count."""
        found = (r for r in self.rulings if r.record.entry is not None and r.entry.operation == operation)
        return next(found, None)

    def at(self, number: int) -> Ruling | None:
        return next((ruling for ruling in self.rulings if ruling.number == number), None)

    @property
    def counted(self) -> tuple[Ruling, ...]:
        """The entries that changed the champion, in order."""
        return tuple(ruling for ruling in self.rulings if ruling.fate is Fate.COUNTS)

    @property
    def pending(self) -> tuple[Ruling, ...]:
        return tuple(ruling for ruling in self.rulings if ruling.pending)

    def require_sound(self) -> None:
        """Raises LedgerBroken with every problem; nothing may act on a log that has one."""
        if self.problems:
            wrong = "; ".join(self.problems[number] for number in sorted(self.problems))
            raise LedgerBroken(
                f"the ledger cannot be relied on: {wrong}. Nothing was changed; restore it from the audit mirror or a "
                "backup, or accept it by name with `mlgates reconcile --accept`"
            )


def replay(records: Iterable[Record]) -> State:
    """Decide of every entry whether it counts.

    An entry that changes the champion counts only if its `after` still is the last one that did, and its `from_` the
    champion; a repeated operation id counts once; an unreadable entry never counts.
    """
    rulings: list[Ruling] = []
    champion, last = "", 0
    seen: set[str] = set()
    problems: dict[int, str] = {}
    newer: set[int] = set()
    expected = 1
    for record in sorted(records, key=lambda r: r.number):
        problems |= {gone: f"entry {gone} is missing: it was deleted" for gone in range(expected, record.number)}
        expected = record.number + 1
        fate, why = _fate(record, champion, last, seen)
        if fate is Fate.BROKEN:
            problems[record.number] = f"entry {record.number} {why}"
            # What a newer version meant cannot be waved through by an older one.
            newer |= {record.number} if record.newer else set()
        before = champion
        if record.entry is not None:
            seen.add(record.entry.operation)
            if fate is Fate.COUNTS:
                champion, last = record.entry.to, record.number
                for accepted in set(record.entry.accepts) - newer:
                    problems.pop(accepted, None)
        rulings.append(Ruling(record, fate, before, champion, why))
    return State(tuple(rulings), champion, last, problems)


def _fate(record: Record, champion: str, last: int, seen: set[str]) -> tuple[Fate, str]:
    entry = record.entry
    if entry is None:
        return Fate.BROKEN, record.problem
    if record.number == 1 and entry.kind is not Kind.GENESIS:
        return Fate.BROKEN, "is no genesis entry: the log was recreated"
    if entry.operation in seen:
        return Fate.REPEATED, "the same operation again: a repeated call, counted once"
    if entry.kind not in CHANGES:
        return Fate.NOTED, ""
    if entry.kind is Kind.GENESIS and record.number != 1:
        return Fate.STALE, "a second genesis entry: the first one stands"
    if entry.after != last:
        return Fate.STALE, f"judged after entry {entry.after}, but entry {last} changed the champion meanwhile"
    if entry.from_ != champion and entry.kind is not Kind.GENESIS:
        return Fate.STALE, f"judged against {_named(entry.from_)}, but {_named(champion)} was champion"
    return Fate.COUNTS, ""


def _named(version: str) -> str:
    return f"v{version}" if version else "no champion"

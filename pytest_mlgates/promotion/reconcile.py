"""What every start that may act does first: finish what a killed process began, and notice moves by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.errors import ActionFailed, UsageError
from pytest_mlgates.ledger import Entry, Kind, MovedByHand, Ruling, State, served
from pytest_mlgates.ports import Registry
from pytest_mlgates.promotion.book import Book, append
from pytest_mlgates.promotion.projector import end, look, settle

OnHandMove = Literal["report", "adopt", "revert"]


@dataclass(frozen=True, slots=True)
class Report:
    """`finished` are the entries whose move this pass completed or closed, `did` one sentence for each thing done.

    `found` is where the reference stood at the start. `trouble` says what a person must look at: with it nothing
    may be promoted (exit 10).
    """

    champion: str
    found: str
    finished: tuple[int, ...] = ()
    did: tuple[str, ...] = ()
    trouble: str = ""


def reconcile(
    book: Book,
    registry: Registry,
    reference: str,
    *,
    actor: str,
    on_hand_move: OnHandMove = "report",
    reason: str = "",
) -> Report:
    """Bring log and reference together in one pass, as far as it may be done unasked.

    A move that a pending entry explains is finished; any other difference is a move by hand, which is reported, or
    recorded (`adopt`), or undone (`revert`), and the last two are entries in the log themselves. Running it again
    changes nothing.

    Raises LedgerBroken, CouldNotEvaluate (the next pass goes on from there), ActionFailed (the champion was deleted,
    or the reference will not move), MovedByHand (somebody moves it against this very pass).
    """
    try:
        state, found = look(book, registry, reference)
        if not state.pending:
            return Report(state.champion, found)
        return _finish(book, registry, reference, found, actor)
    except MovedByHand as moved:
        return _by_hand(book, registry, reference, moved, actor, on_hand_move, reason)


def accept(
    book: Book, registry: Registry, reference: str, *, actor: str, reason: str, entries: tuple[int, ...]
) -> Report:
    """Take responsibility, by name, for missing or altered entries: the version the reference means is adopted.

    Raises UsageError without a reason or for an entry that has no problem, LedgerBroken if others are left (the
    acceptance stands all the same), ActionFailed when there is no version to adopt.
    """
    state = book.refresh(sound=False)
    whole = [number for number in entries if number not in state.problems]
    if whole:
        wrong = ", ".join(map(str, sorted(state.problems))) or "none"
        raise UsageError(f"ledger entry {whole[0]} has no problem to accept; these have: {wrong}")
    present = registry.find(reference)
    if present is None:
        raise ActionFailed(f"{reference!r} means no version, so there is none to adopt: point it at one first")
    entry = Entry(
        Kind.ADOPT, actor, from_=state.champion, to=present.number, after=state.last, reason=reason, accepts=entries
    )
    ruling = append(book, entry, sound=False)
    did = f"{actor} accepted {', '.join(state.problems[n] for n in entries)} (entry {ruling.number})"
    return Report(book.refresh().champion, present.number, did=(did,))


def _finish(book: Book, registry: Registry, reference: str, found: str, actor: str) -> Report:
    """Note what really served before it is moved away, and an intent before moving anything."""
    state = book.state
    done: list[int] = []
    did: list[str] = []
    on_duty = served(state, found)
    if on_duty is not None:
        end(book, on_duty, projected=True)
        done.append(on_duty.number)
        did.append(f"{reference!r} already meant v{found}; entry {on_duty.number} is noted as projected")
    if found != state.champion:
        why = f"finishes {_names(state.pending)}"
        state = _move(book, registry, reference, found, actor, why)
        did.append(f"{reference!r} moved from {_named(found)} to v{state.champion}, which {why}")
    done += _close(book, [ruling for ruling in state.pending if ruling.number not in done])
    return Report(book.refresh().champion, found, tuple(sorted(done)), tuple(did))


def _by_hand(
    book: Book,
    registry: Registry,
    reference: str,
    moved: MovedByHand,
    actor: str,
    wish: OnHandMove,
    reason: str,
) -> Report:
    state, found = book.state, moved.found
    why = f"{reference!r} was moved by hand from {_named(state.champion)} to {_named(found)}"
    why = f"{why}: {reason}" if reason else why
    if wish == "adopt" and found:
        entry = Entry(Kind.ADOPT, actor, from_=state.champion, to=found, after=state.last, reason=why)
        number = append(book, entry).number
        did = f"v{found} is recorded as champion (entry {number}): {why}"
    elif wish == "revert" and state.champion:
        state = _move(book, registry, reference, found, actor, f"undoes a move by hand: {why}")
        did = f"{reference!r} means v{state.champion} again: {why}"
    else:
        return Report(state.champion, found, trouble=str(moved))
    finished = tuple(_close(book, book.state.pending))
    return Report(book.refresh().champion, found, finished, (did,))


def _move(book: Book, registry: Registry, reference: str, found: str, actor: str, why: str) -> State:
    state = book.state
    append(book, Entry(Kind.REPAIR, actor, from_=found, to=state.champion, after=state.last, reason=why))
    settle(book, registry, reference)
    return book.state


def _close(book: Book, pending: Iterable[Ruling]) -> list[int]:
    """The reference means the champion now: only the last change is known to have got there."""
    closed = list(pending)
    for ruling in closed:
        end(book, ruling, projected=ruling.number == book.state.last or ruling.entry.kind is Kind.REPAIR)
    return [ruling.number for ruling in closed]


def _names(pending: tuple[Ruling, ...]) -> str:
    return " and ".join(f"entry {r.number} ({r.entry.kind} of v{r.entry.to} by {r.entry.actor})" for r in pending)


def _named(version: str) -> str:
    return f"v{version}" if version else "nothing"

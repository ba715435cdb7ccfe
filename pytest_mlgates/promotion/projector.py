"""Makes the reference in the registry mean what the log says, and notes on the entry that it does.

The reference has no compare-and-set, so a slow writer may put back an old version at any time. Each writer
therefore looks again after every move, at the log first and at the reference second, and is done only when the two
agree: the last one to move looks last, and what it sees is the truth. Its entry stays pending until then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.ledger import (
    PROJECTED,
    SUPERSEDED,
    Entry,
    MovedByHand,
    Ruling,
    Standing,
    State,
    now,
    standing,
)
from pytest_mlgates.ports import Registry, Version
from pytest_mlgates.promotion.book import Book, append

#: Every round but the last was overtaken by somebody else's change.
ROUNDS = 200
#: Lost moves of the reference in one projection, after which it is given up.
TOLERATED = 2


@dataclass(frozen=True, slots=True)
class Projected:
    """Entry `number` is recorded. `serves` says whether its version was seen behind the reference as the log's
    last word, or whether a later entry overtook it; `champion` is who serves now."""

    number: int
    champion: str
    serves: bool
    note_missing: str = ""


def change(book: Book, registry: Registry, reference: str, entry: Entry) -> Projected:
    """Append `entry`, move the reference, note that it moved.

    Raises what `append` raises (nothing was moved) and what `project` raises (the entry stands).
    """
    return project(book, registry, reference, append(book, entry))


def project(book: Book, registry: Registry, reference: str, own: Ruling) -> Projected:
    """Move `reference` to the log's champion and note the end on the entry `own`.

    Raises MovedByHand when somebody moved the reference meanwhile (it is left alone), LedgerBroken, and ActionFailed
    when the registry stopped answering, the champion no longer exists or the reference will not stay: the entry
    stands, and `mlgates reconcile` finishes it.
    """
    try:
        settle(book, registry, reference)
    except CouldNotEvaluate as problem:
        raise ActionFailed(
            f"entry {own.number} is recorded, but it is unknown whether {reference!r} moved ({problem}): "
            "run `mlgates reconcile`"
        ) from None
    serves = book.state.last == own.number
    return Projected(own.number, book.state.champion, serves, _note_end(book, own, projected=serves))


def settle(book: Book, registry: Registry, reference: str) -> bool:
    """Bring log and reference together; True if the reference had to be moved.

    Raises CouldNotEvaluate, LedgerBroken, MovedByHand, ActionFailed. Some entry must be pending meanwhile.
    """
    mine: set[str] = set()
    failures = 0
    for _ in range(ROUNDS):
        state, found = look(book, registry, reference, mine)
        if found == state.champion:
            return bool(mine)
        target = _champion(state, registry, reference, found)
        mine.add(target.number)
        try:
            registry.point(reference, target)
        except CouldNotEvaluate:
            # MLflow loses some moves to its own races; whether this one was, the next look shows.
            failures += 1
            if failures > TOLERATED:
                raise
    raise ActionFailed(f"{reference!r} changed {ROUNDS} times while it was being moved: who else moves it?")


def look(book: Book, registry: Registry, reference: str, mine: Collection[str] = ()) -> tuple[State, str]:
    """The log, and after it the number the reference means. Raises MovedByHand if nothing explains a difference.

    `mine` are the numbers this process put there itself: a reconcile elsewhere may have taken it for dead and noted
    its entry's end, but nobody else will put its late move right.
    """
    last: tuple[tuple[Ruling, ...], str] | None = None
    for _ in range(ROUNDS):
        state = book.refresh()
        present = registry.find(reference)
        found = present.number if present else ""
        if found in mine or standing(state, found or _deleted(state, registry)) is not Standing.MOVED:
            return state, found
        # Others may have written and moved between the two reads; intents come first, so a log that stands still
        # around the reference tells all there is to tell.
        if last == (state.rulings, found):
            break
        last = (state.rulings, found)
    raise MovedByHand(_by_hand(state, registry, reference, found), found=found, expected=state.champion)


def _deleted(state: State, registry: Registry) -> str:
    """The champion a pending entry replaces, if it was deleted: MLflow takes the reference away with it."""
    before = state.pending[0].before if state.pending else ""
    return before if before and registry.find(before) is None else ""


def end(book: Book, ruling: Ruling, *, projected: bool) -> None:
    """Note on an entry that its move is over. Raises CouldNotEvaluate, ActionFailed."""
    book.log.note(ruling.number, PROJECTED if projected else SUPERSEDED, now())


def _note_end(book: Book, own: Ruling, *, projected: bool) -> str:
    """The move stands without the note, which the next reconcile writes; its failure is said."""
    try:
        end(book, own, projected=projected)
    except (CouldNotEvaluate, ActionFailed) as problem:
        return f"done, but entry {own.number} could not be noted as projected: {problem}"
    return ""


def _champion(state: State, registry: Registry, reference: str, found: str) -> Version:
    target = registry.find(state.champion) if state.champion else None
    if target is None:
        raise ActionFailed(
            f"v{state.champion} is champion by entry {state.last}, but it was deleted from the registry, and "
            f"{reference!r} means {f'v{found}' if found else 'nothing'}: roll back with `mlgates rollback`, or promote "
            "another version"
        )
    return target


def _by_hand(state: State, registry: Registry, reference: str, found: str) -> str:
    by = f"by entry {state.last} of the ledger"
    expected = f"v{state.champion} is champion {by}" if state.champion else "the ledger knows of no champion"
    if not found and state.champion and registry.find(state.champion) is None:
        return (
            f"{reference!r} means nothing: v{state.champion}, champion {by}, was deleted from the registry. Roll back "
            "with `mlgates rollback`"
        )
    means = f"was moved by hand to v{found}" if found else "was removed by hand"
    return (
        f"{reference!r} {means}; {expected}. It was left as it is: "
        'record it with `mlgates reconcile` and on_hand_move = "adopt", or undo it with "revert"'
    )

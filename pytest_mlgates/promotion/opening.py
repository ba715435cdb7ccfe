"""What the ledger says when a run starts: what was left unfinished, what was moved by hand, what is overridden."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import MlgatesError
from pytest_mlgates.ledger import MovedByHand, State, history
from pytest_mlgates.promotion.book import Book, read
from pytest_mlgates.promotion.projector import look
from pytest_mlgates.promotion.reconcile import reconcile
from pytest_mlgates.settings import Settings


@dataclass(frozen=True, slots=True)
class Opening:
    """`after` is the last entry that changed the champion (0: no ledger yet): what this run judges after.

    `did` are sentences about what was repaired or is left to repair, `trouble` what must be looked at before
    anything is promoted, `override` the override that made the present champion, `state` the log as it was read.
    """

    after: int = 0
    did: tuple[str, ...] = ()
    trouble: str = ""
    override: str = ""
    state: State | None = None


def open_ledger(doors: Doors, settings: Settings, *, apply: bool, actor: str) -> Opening:
    """Read the log; with `apply`, finish what a killed run left unfinished. Never raises: trouble is told."""
    try:
        book = read(doors.log)
        if book is None:
            return Opening()
        opening = _repair(book, doors, settings, actor) if apply else _look(book, doors, settings)
    except MlgatesError as problem:
        return Opening(trouble=str(problem))
    made = history.overridden(book.state)
    if made is not None:
        told = f"v{made.to} is champion by an override of {made.actor}: {made.reason}"
        opening = replace(opening, override=told)
    return replace(opening, after=book.state.last, state=book.state)


def _repair(book: Book, doors: Doors, settings: Settings, actor: str) -> Opening:
    report = reconcile(book, doors.registry, settings.champion, actor=actor, on_hand_move=settings.on_hand_move)
    return Opening(did=report.did, trouble=report.trouble)


def _look(book: Book, doors: Doors, settings: Settings) -> Opening:
    try:
        state, _ = look(book, doors.registry, settings.champion)
    except MovedByHand as moved:
        return Opening(trouble=str(moved))
    left = ", ".join(str(ruling.number) for ruling in state.pending)
    todo = f"ledger entry {left} was left unfinished: --mlgate-apply or `mlgates reconcile` finishes it"
    return Opening(did=(todo,) if left else ())

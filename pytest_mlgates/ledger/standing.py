"""How the reference in the registry stands to the log, and where a rollback would go."""

from __future__ import annotations

import enum

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger.entry import Entry, Kind
from pytest_mlgates.ledger.replay import Ruling, State


class Standing(enum.StrEnum):
    """`SETTLED`: as the log says. `UNFINISHED`: a move was begun and its end was never noted. `MOVED`: by hand."""

    SETTLED = "settled"
    UNFINISHED = "unfinished"
    MOVED = "moved"


def standing(state: State, found: str) -> Standing:
    """Compare the version the reference means (`found`, "" for none) with the log.

    Everybody notes an intent before moving the reference and its end afterwards. So a difference is explained only
    by a pending entry, and only if `found` was champion just before the oldest of them or at any time since: a
    slow writer may put back what it read then. Anything else came from outside.
    """
    pending = state.pending
    if found == state.champion:
        return Standing.UNFINISHED if pending else Standing.SETTLED
    if not pending:
        return Standing.MOVED
    since = [ruling for ruling in state.rulings if ruling.number >= pending[0].number]
    explained = {pending[0].before, *(r.champion for r in since)}
    explained |= {r.entry.from_ for r in pending if r.entry.kind is Kind.REPAIR}
    return Standing.UNFINISHED if found in explained else Standing.MOVED


def served(state: State, found: str) -> Ruling | None:
    """The pending entry that put `found` where it is: its version really served."""
    made = [r for r in state.pending if r.entry.kind is not Kind.REPAIR and r.entry.to == found]
    return made[-1] if made else None


def rollback_targets(state: State) -> tuple[str, ...]:
    """The versions a rollback may go to, nearest first: those that really served before, without those that were
    rolled back from."""
    line: list[str] = []
    for ruling in state.counted:
        entry = ruling.entry
        if entry.kind in (Kind.ROLLBACK, Kind.ADOPT) and entry.to in line:
            # A return: what came after the version it returns to is no longer a way back.
            del line[len(line) - line[::-1].index(entry.to) :]
        elif entry.to and _has_served(ruling):
            line.append(entry.to)
    earlier = [version for version in reversed(line) if version != state.champion]
    return tuple(dict.fromkeys(earlier))


def rollback_target(state: State) -> str:
    """The version to roll back to when nobody names one. Raises UsageError when none has served before."""
    targets = rollback_targets(state)
    if targets:
        return targets[0]
    now = f"v{state.champion} is champion and" if state.champion else "there is no champion, and"
    raise UsageError(f"nothing to roll back to: {now} no other version is known to have served before it")


def digest_on_record(state: State, version: str) -> str:
    """The digest of a version's files when it was last made champion, or "" where no entry says it."""
    known = [r.entry.to_digest for r in state.counted if r.entry.to == version and r.entry.to_digest]
    return known[-1] if known else ""


def rolled_back(state: State, version: str, files: str = "") -> Ruling | None:
    """The rollback that took `version`, or one with the same `files` (a digest, "" for unknown), out of service;
    None where there was none, or an override has let it serve since.

    A promotion that was taken back at once, on its own evidence, because nothing could serve it is no rollback.
    """
    files = files or digest_on_record(state, version)

    def meant(other: str) -> bool:
        return other == version or bool(files and files == digest_on_record(state, other))

    found = None
    for ruling in state.counted:
        entry = ruling.entry
        if entry.kind is Kind.OVERRIDE and meant(entry.to):
            found = None
        elif entry.kind is Kind.ROLLBACK and meant(entry.from_) and not _taken_back(state, entry):
            found = ruling
    return found


def _taken_back(state: State, entry: Entry) -> bool:
    undone = state.at(entry.after)
    return undone is not None and bool(entry.evidence) and undone.entry.evidence == entry.evidence


def _has_served(ruling: Ruling) -> bool:
    return ruling.entry.kind in (Kind.GENESIS, Kind.ADOPT) or bool(ruling.record.projected)

"""`mlgates rollback`: back to the last version that really served, or to the one named."""

from __future__ import annotations

import argparse

from pytest_mlgates.aftermath.steps import taken_back
from pytest_mlgates.commands.ledger_options import add_change, carried_out, confirmed, existing_book, opened
from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger import Entry, Kind, State, digest_on_record, rollback_target
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.projector import Projected
from pytest_mlgates.promotion.proof import existing, prove

HELP = "make the last version that really served champion again"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="VERSION", help="another version than the last one that served")
    add_change(parser)


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    book = existing_book(settings, doors)
    state = book.state
    if not state.champion:
        raise UsageError(f"{settings.model} has no champion to roll back from")
    number = given.to or rollback_target(state)
    version = existing(doors, settings, number)
    entry = Entry(
        Kind.ROLLBACK,
        actor(),
        from_=state.champion,
        to=version.number,
        after=state.last,
        reason=given.reason,
        run=version.run_id,
        to_digest=prove(doors, settings, version, digest_on_record(state, version.number)),
    )
    if not confirmed(f"Roll {settings.model} back from v{state.champion} to {version}?", given):
        print("nothing was changed")
        return 1
    code = carried_out(book, doors, settings, entry, version, lambda made: _said(settings.champion, made, state))
    if code == 0:
        for line in taken_back(settings, state.champion, f"back to v{version.number} by hand: {given.reason}"):
            print(line)
    return code


def _said(reference: str, made: Projected, before: State) -> str:
    return f"{reference!r} is v{made.champion} now, instead of v{before.champion} (ledger entry {made.number})"

"""`mlgates rollback`: back to the last version that really served, or to the one named."""

from __future__ import annotations

import argparse

from pytest_mlgates.commands.ledger_options import add_change, confirmed, existing_book, keep_mirror, opened, workload
from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger import Entry, Kind, digest_on_record, rollback_target
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.projector import change
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
    moved = workload(settings, doors)
    if moved is not None:
        moved.announce(version)
    made = change(book, doors.registry, settings.champion, entry)
    keep_mirror(settings, doors)
    print(f"{settings.champion!r} is v{made.champion} now, instead of v{state.champion} (ledger entry {made.number})")
    if moved is not None:
        print(moved.follow(version))
        moved.done()
    return 0

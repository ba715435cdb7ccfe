"""`mlgates promote VERSION --override`: a person's decision against or without the gates, on the record."""

from __future__ import annotations

import argparse

from pytest_mlgates.commands.ledger_options import add_change, carried_out, confirmed, opened
from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger import Entry, Kind, digest_on_record
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.book import begin
from pytest_mlgates.promotion.projector import Projected
from pytest_mlgates.promotion.proof import existing, prove

HELP = "make a version champion without the gates; recorded, and shown until a normal promotion"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", help="the version to make champion")
    parser.add_argument("--override", action="store_true", help="say that this goes past the gates")
    add_change(parser)


def run(given: argparse.Namespace) -> int:
    if not given.override:
        raise UsageError("`pytest --mlgate --mlgate-apply` promotes; to promote without the gates, say --override")
    settings, doors = opened(given)
    version = existing(doors, settings, given.version)
    who = actor()
    book = begin(doors.log, doors.registry, settings.champion, actor=who)
    state = book.state
    entry = Entry(
        Kind.OVERRIDE,
        who,
        from_=state.champion,
        to=version.number,
        after=state.last,
        reason=given.reason,
        run=version.run_id,
        to_digest=prove(doors, settings, version, digest_on_record(state, version.number)),
    )
    instead = f"instead of v{state.champion}" if state.champion else "as the first champion"
    if not confirmed(f"Make {settings.model} {version} champion {instead}, past the gates?", given):
        print("nothing was changed")
        return 1
    return carried_out(book, doors, settings, entry, version, lambda made: _said(settings.champion, made, instead, who))


def _said(reference: str, made: Projected, instead: str, who: str) -> str:
    return f"{reference!r} is v{made.champion} now, {instead}: an override by {who} (ledger entry {made.number})"

"""`mlgates status`: who is champion, and whether alias and ledger agree. Changes nothing."""

from __future__ import annotations

import argparse

from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.decision import Exit
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.opening import open_ledger

HELP = "who is champion, and whether alias and ledger agree"


def add(parser: argparse.ArgumentParser) -> None:
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    champion = doors.registry.find(settings.champion)
    print(f"{settings.model} in {doors.name}: {settings.champion!r} is {champion or 'no version'}")
    opening = open_ledger(doors, settings, apply=False, actor=actor())
    if opening.override:
        print(f"OVERRIDE: {opening.override}")
    for sentence in (*opening.did, *([opening.trouble] if opening.trouble else [])):
        print(sentence)
    if opening.trouble or opening.did:
        return Exit.UNDECIDED
    if opening.after:
        print(f"the ledger agrees (entry {opening.after} was the last change)")
    else:
        print("no ledger was begun yet")
    return 0

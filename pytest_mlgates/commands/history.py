"""`mlgates history`: who was champion when, why, on which evidence."""

from __future__ import annotations

import argparse
import json

from pytest_mlgates import history
from pytest_mlgates.commands.ledger_options import add_model, existing_book, opened

HELP = "who was champion when, why, on which evidence"


def add(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="every entry of the ledger, also those that did not count")


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    state = existing_book(settings, doors).state
    if given.json:
        print(json.dumps(history.as_json(state), indent=1))
        return 0
    print(f"{settings.model}, newest first")
    for reign in reversed(history.reigns(state)):
        until = f"until {_minute(reign.until)}" if reign.until else "still champion"
        print(
            f"v{reign.version:<6} {_minute(reign.since)}  {until}  {reign.kind} by {reign.actor} (entry {reign.entry})"
        )
        print(f"        {reign.reason}")
        if reign.evidence:
            print(f"        evidence {reign.evidence[:16]}  golden set {reign.golden[:16] or '-'}")
        for gate in reign.waivers:
            print(f"        with the gate {gate} waived")
    return 0


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")

"""`mlgates history`: who was champion when, why, on which evidence."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.commands.ledger_options import add_model, existing_book, opened
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ledger import history
from pytest_mlgates.report.chronicle import chronicle

HELP = "who was champion when, why, on which evidence"


def add(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="every entry of the ledger, also those that did not count")
    parser.add_argument("--html", type=Path, metavar="FILE", help="a page with a picture of the last decisions")
    parser.add_argument("--last", type=int, default=30, metavar="N", help="so many of them (default: 30)")


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    state = existing_book(settings, doors).state
    if given.json:
        print(json.dumps(history.as_json(state), indent=1))
        return 0
    if given.html:
        return _page(given, settings.model, history.as_json(state))
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


def _page(given: argparse.Namespace, model: str, told: dict[str, Any]) -> int:
    if given.last < 1:
        raise UsageError(f"--last is {given.last}: give the number of decisions to show, 1 or more")
    try:
        write_atomically(given.html, chronicle(told, model, given.last).encode())
    except OSError as problem:
        raise CouldNotEvaluate(f"{given.html} could not be written ({problem.strerror})") from None
    print(f"written: {given.html}")
    return 0


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")

"""`mlgates diff`: what differs between two runs."""

from __future__ import annotations

import argparse
import json
from itertools import groupby
from pathlib import Path

from pytest_mlgates.commands.evidence_files import loaded
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.report.compare import compared
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.spoken import spoken

HELP = "what differs between two runs, from their evidence files; exit code 1 when anything does"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=Path, help="evidence.json, or the folder it is in")
    parser.add_argument("after", type=Path, help="the other one")
    parser.add_argument("--json", action="store_true", help="one object a difference")


def run(given: argparse.Namespace) -> int:
    before, after = loaded(given.before), loaded(given.after)
    try:
        found = compared(before, after)
    except (KeyError, TypeError, AttributeError) as problem:
        raise CouldNotEvaluate(
            f"{given.before} and {given.after} cannot be compared, one is incomplete: {problem!r}"
        ) from None
    if given.json:
        print(json.dumps([change.plain() for change in found], indent=1))
        return 1 if found else 0
    for section, changes in groupby(found, key=lambda change: change.section):
        print(section)
        for change in changes:
            print(spoken(f"  {clipped(change.what)}"))
            print(f"    - {clipped(change.before, 600)}\n    + {clipped(change.after, 600)}")
    if not found:
        print("nothing differs")
    return 1 if found else 0

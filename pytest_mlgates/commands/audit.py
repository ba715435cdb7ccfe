"""`mlgates audit verify`: is the mirror of the ledger whole, and does it say what the registry's log says?"""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.ledger.chain import AuditBroken
from pytest_mlgates.promotion import audit

HELP = "check the audit mirror, entry by entry, and against the registry"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("verify",))
    parser.add_argument("--file", type=Path, help="the mirror (default: the setting `audit`)")
    parser.add_argument("--offline", action="store_true", help="do not compare with the registry")
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    """Exit code 1 and one sentence when an entry is altered, missing, out of order or cut off."""
    settings, doors = opened(given)
    file = given.file or settings.audit_file
    try:
        head = audit.verify(file)
        if not given.offline:
            audit.compare(file, doors.log.rows())
    except AuditBroken as problem:
        print(problem)
        return 1
    compared = "" if given.offline else ", as in the registry"
    print(f"{file}: {head.entry} entries, every seal holds{compared}")
    return 0

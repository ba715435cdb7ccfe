"""`mlgates runbook`: what to do about a gate that does not pass, or an alert."""

from __future__ import annotations

import argparse

from pytest_mlgates.errors import UsageError
from pytest_mlgates.incident import runbook
from pytest_mlgates.validation import did_you_mean

HELP = "what to do when a gate does not pass or an alert fires"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="a gate or an alert's runbook; without, all names")


def run(given: argparse.Namespace) -> int:
    known = runbook.names()
    if given.name is None:
        print("\n".join(known))
    elif given.name in known:
        print((runbook.folder() / f"{given.name}.md").read_text(), end="")
    else:
        raise UsageError(f"no runbook {given.name!r}; {did_you_mean(given.name, known)}")
    return 0

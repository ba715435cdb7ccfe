"""The `mlgates` command: one module of `commands` a subcommand, each with `HELP`, `add(parser)` and `run(given)`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from pytest_mlgates.errors import MlgatesError

COMMANDS = (
    "init",
    "doctor",
    "golden",
    "probe",
    "power",
    "stamp",
    "lock",
    "baseline",
    "manifest",
    "card",
    "history",
    "diff",
    "report",
    "status",
    "rollback",
    "promote",
    "reconcile",
    "audit",
    "cluster",
    "watch",
    "incident",
    "runbook",
    "rules",
    "exporter",
    "webhook",
    "demo",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done, 2 when something must be written differently or nothing could be begun; `demo` gives
    pytest's own, and what moves the champion those of a run (10, 11).
    """
    parser = argparse.ArgumentParser(prog="mlgates", description="The release gate for machine-learning models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    given_first = (sys.argv[1:] if arguments is None else list(arguments))[:1]
    # Only the command that was asked for is imported: a readiness probe is over before the others would be.
    for name in given_first if given_first and given_first[0] in COMMANDS else COMMANDS:
        command = import_module(f"pytest_mlgates.commands.{name}")
        own = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.add(own)
        own.set_defaults(run=command.run)
    given = parser.parse_args(arguments)
    try:
        return int(given.run(given))
    except MlgatesError as problem:
        print(f"mlgates {given.command}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"mlgates {given.command}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

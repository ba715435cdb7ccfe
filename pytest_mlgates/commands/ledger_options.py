"""What the commands on the ledger share: which model, its doors, and a question before something is changed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.decision import Exit
from pytest_mlgates.doors.outside import Doors, open_doors, registry_uri
from pytest_mlgates.errors import ChampionMoved, MlgatesError, UsageError
from pytest_mlgates.ledger import Entry
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.audit import keep
from pytest_mlgates.promotion.book import Book, digests, read
from pytest_mlgates.promotion.projector import Projected, change
from pytest_mlgates.settings import Settings, load

if TYPE_CHECKING:
    from pytest_mlgates.rollout.following import Following


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="which model of the settings")


def add_change(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--reason", required=True, help="why, in words that still help in a year")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def opened(given: argparse.Namespace) -> tuple[Settings, Doors]:
    """Raises UsageError without settings or registry, CouldNotEvaluate when the registry does not answer."""
    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    return settings, open_doors(settings, registry_uri(settings, os.environ))


def existing_book(settings: Settings, doors: Doors) -> Book:
    """Raises UsageError when nothing was ever promoted by this tool, LedgerBroken."""
    book = read(doors.log)
    if book is None:
        raise UsageError(f"{settings.model} has no ledger yet: the first `pytest --mlgate --mlgate-apply` begins it")
    return book


def workload(settings: Settings, doors: Doors) -> Following | None:
    """What serves the champion and goes where the alias goes, where the settings name a cluster."""
    if settings.cluster is None:
        return None
    from pytest_mlgates.rollout.following import following

    uri = registry_uri(settings, os.environ)
    return following(settings, doors.registry, uri, os.environ, digests(doors.log))()


def carried_out(
    book: Book, doors: Doors, settings: Settings, entry: Entry, version: Version, said: Callable[[Projected], str]
) -> int:
    """Alias and workload are moved to `version`, and `said` tells of the alias; an exit code as a run has it.

    Raises MlgatesError while nothing has been begun. After that somebody must look: 10 where another move came in
    between, and 11 where it is unknown what took place, or the workload did not go along.
    """
    moved = workload(settings, doors)
    if moved is not None:
        moved.announce(version)
    try:
        made = change(book, doors.registry, settings.champion, entry)
        print(said(made))
        keep_mirror(settings, doors)
        if moved is not None:
            # The announcement stays when this raises, so that the next run tries again.
            print(moved.follow(version))
            moved.done()
    except ChampionMoved as problem:
        print(problem, file=sys.stderr)
        return Exit.UNDECIDED
    except MlgatesError as problem:
        print(f"ACTION FAILED: {problem}", file=sys.stderr)
        return Exit.ACTION_FAILED
    return Exit.DONE


def keep_mirror(settings: Settings, doors: Doors) -> None:
    unkept = keep(settings.audit_file, doors.log) if settings.audit else ""
    if unkept:
        print(unkept, file=sys.stderr)


def confirmed(question: str, given: argparse.Namespace) -> bool:
    """Asks on a terminal; without one, `--yes` must say it. Raises UsageError."""
    if given.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on: add --yes")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

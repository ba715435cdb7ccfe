"""`mlgates lock`: writes the environment of training as a lock, and records it on the version trained in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.doors.locks import FILE
from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock import TAG, Lock, read_lock
from pytest_mlgates.lock.installed import installed
from pytest_mlgates.promotion.proof import existing

HELP = "record the environment a version was trained in, package by package"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", default="", help="version number, alias, models:/ or runs:/ URI")
    parser.add_argument("--from", dest="file", default="", help="a lock file (default: what is installed here)")
    parser.add_argument("--image", default="", help="digest of the container image, to be held to as well")
    parser.add_argument("--output", default="", help=f"write the lock to a file (without a version: {FILE})")
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    lock = _lock(given)
    output = given.output or ("" if given.version else FILE)
    if output:
        Path(output).write_text(lock.text(), encoding="utf-8")
        print(f"{output}: {len(lock.packages)} packages, lock {lock.digest}")
    if given.version:
        settings, doors = opened(given)
        version = existing(doors, settings, given.version)
        before = version.tags.get(TAG, "")
        if before and before != lock.digest:
            raise UsageError(
                f"{version} says {TAG} = {before}, not {lock.digest}: a fact that was recorded is never written over; "
                "register a new version"
            )
        doors.registry.attach(version, {FILE: lock.text()})
        doors.registry.tag(version, {TAG: lock.digest})
        print(f"{version.model} {version} records lock {lock.digest} ({len(lock.packages)} packages)")
    for sentence in lock.loose()[:3] if given.file else ():
        print(f"note: {sentence}")
    return 0


def _lock(given: argparse.Namespace) -> Lock:
    """Raises UsageError for a file that is no lock."""
    if not given.file:
        found: Lock | str = installed()
    else:
        try:
            text = Path(given.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise UsageError(f"--from {given.file} cannot be read: {problem}") from None
        found = read_lock(text, given.file)
    if isinstance(found, str):
        raise UsageError(f"--from {given.file} holds only a digest: give the lock itself")
    return Lock(found.packages, found.python, found.platform, given.image) if given.image else found

"""`mlgates doctor`: is everything there that a run needs, and what to do about what is not."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mlgates.doctor.check import Check

HELP = "check settings, access, extras, golden set, cluster; exit code 1 when something must be done"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="only what is written here: settings, pointer, contract")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--model", help="which model of the settings")


def run(given: argparse.Namespace) -> int:
    """Exit code 1 when a check fails; warnings alone give 0."""
    found = list(examined(Path.cwd(), given.model, os.environ, offline=given.offline))
    if given.json:
        print(json.dumps([asdict(check) for check in found], indent=1))
    else:
        print("\n".join(lines(found)))
    return 1 if any(check.state == "fail" for check in found) else 0


def examined(root: Path, model: str | None, environ: Mapping[str, str], *, offline: bool) -> Iterator[Check]:
    """Every check, in the order in which a person would put things right."""
    from pytest_mlgates.doctor.check import fail, guarded
    from pytest_mlgates.doctor.written import written
    from pytest_mlgates.errors import UsageError
    from pytest_mlgates.settings import load

    if sys.platform == "win32":
        yield from _windows()
    try:
        settings = load(root, {"model": model}, environ)
    except UsageError as problem:
        yield fail("settings", str(problem))
        return
    yield from written(settings)
    if offline:
        return
    from pytest_mlgates.doctor.extras import extras
    from pytest_mlgates.doctor.outside import outside

    yield from guarded("extras", lambda: extras(settings))
    yield from outside(settings, environ)


def lines(found: list[Check]) -> Iterator[str]:
    for check in found:
        yield f"{check.state:<5} {check.what:<11} {check.sentence}"
        if check.do:
            yield f"{'':<17} do: {check.do}"
    bad = sum(check.state == "fail" for check in found)
    warned = sum(check.state == "warn" for check in found)
    yield f"{len(found)} checks: {bad} failed, {warned} to look at"


def _windows() -> Iterator[Check]:
    from pytest_mlgates.doctor.check import fail

    yield fail(
        "machine", "models are scored in forked child processes, which Windows does not have", "use Linux or WSL 2"
    )

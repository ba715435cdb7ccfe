"""`mlgates stamp`: completes what a version records about its origin, so that the lineage gate can check it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.doors.outside import open_runs, registry_uri
from pytest_mlgates.origin.provenance import Provenance
from pytest_mlgates.origin.stamping import later
from pytest_mlgates.promotion.proof import existing

HELP = "record on a version where it came from: run, commit, data, environment, files"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", help="version number, alias, models:/ or runs:/ URI")
    parser.add_argument("--data", default="", help="what it was trained on, a file with a DVC pointer")
    parser.add_argument("--commit", default="", help="what it was trained from (default: what its run says)")
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    version = existing(doors, settings, given.version)
    recorded = Provenance.from_tags(version.tags)
    # A path on the command line is relative to where it was typed, one in the settings to their file.
    data = str(Path.cwd() / given.data) if given.data else "" if recorded.data else settings.golden_validity.training
    runs = open_runs(registry_uri(settings, os.environ))
    origin = runs.run(version.run_id) if version.run_id else None
    whole = later(version, origin, commit=given.commit, data=data, registry=doors.registry, base=settings.base)
    print(f"{version.model} {version} records:")
    for tag, value in whole.tags().items():
        print(f"  {tag:19}  {value}{'' if version.tags.get(tag) == value else '  (new)'}")
    if not recorded.environment:
        print("the environment is that of this command: true only where the model was trained")
    return 0

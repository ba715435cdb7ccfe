"""`mlgates golden record`: golden rows and a version's own answers, for `mlgates probe`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.commands.probe import RECORD

if TYPE_CHECKING:
    from pytest_mlgates.doors.outside import Doors
    from pytest_mlgates.golden_record import GoldenRecord
    from pytest_mlgates.ports import Version
    from pytest_mlgates.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("versions", nargs="*", metavar="REF", help="alias or number (default: the champion)")
    parser.add_argument("--rows", type=int, default=5, help="how many golden rows (default 5)")
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--out", metavar="FILE", default=RECORD, help=f"default: {RECORD}")
    places.add_argument(
        "--folder", metavar="DIR", help="a file for each, RUN_ID.json: champion, challenger, former champion, and REF"
    )


def run(given: argparse.Namespace, chosen: Settings) -> int:
    """Raises UsageError for a version that does not exist, CouldNotEvaluate when it cannot be asked."""
    from pytest_mlgates.doors.outside import open_doors, registry_uri
    from pytest_mlgates.errors import UsageError

    if given.rows < 1:
        raise UsageError(f"--rows {given.rows}: one row at least")
    doors = open_doors(chosen, registry_uri(chosen, os.environ))
    if given.folder:
        # Written when all are known: half a folder would take the others' records from a workload.
        made = {_file(one): _recorded(chosen, doors, one, given.rows) for one in _versions(given, chosen, doors)}
        for name, record in made.items():
            _write(Path(given.folder) / name, record)
        return 0
    if len(given.versions) > 1:
        raise UsageError(f"--out is one file, for one version, not for {', '.join(given.versions)}: write --folder DIR")
    version = _found(chosen, doors, given.versions[0] if given.versions else chosen.champion)
    _write(Path(given.out), _recorded(chosen, doors, version, given.rows))
    return 0


def _found(chosen: Settings, doors: Doors, reference: str) -> Version:
    from pytest_mlgates.errors import UsageError

    found = doors.registry.find(reference)
    if found is None:
        raise UsageError(f"{chosen.model} has no {reference!r}")
    return found


def _versions(given: argparse.Namespace, chosen: Settings, doors: Doors) -> list[Version]:
    """Whom a workload may be told to serve: those that the settings name, where they exist, and those named here."""
    named = (chosen.champion, chosen.challenger, chosen.former)
    found = [doors.registry.find(reference) for reference in named]
    found += [_found(chosen, doors, reference) for reference in given.versions]
    return list({one.number: one for one in found if one is not None}.values())


def _file(version: Version) -> str:
    from pytest_mlgates.errors import CouldNotEvaluate

    if not version.run_id:
        raise CouldNotEvaluate(f"{version} was registered without a run, by which a pod would find its record")
    return f"{version.run_id}.json"


def _recorded(chosen: Settings, doors: Doors, version: Version, count: int) -> GoldenRecord:
    """What `version` answers to `count` golden rows; to ask it is to run its code, so its files are looked at first."""
    from pytest_mlgates.adapters.serving.http_endpoint import plain_rows
    from pytest_mlgates.doors.outside import golden_store
    from pytest_mlgates.doors.scoring import open_scorer
    from pytest_mlgates.doors.serving import own_answers, telling
    from pytest_mlgates.errors import CouldNotEvaluate
    from pytest_mlgates.golden_record import GoldenRecord
    from pytest_mlgates.origin.provenance import altered
    from pytest_mlgates.pins import pin
    from pytest_mlgates.promotion.book import digests
    from pytest_mlgates.session.run import Run
    from pytest_mlgates.wires.likeness import declared

    alone = chosen.model_copy(update={"phase": "live", "champion": version.number})
    run = Run(alone, pin(alone, doors.registry, golden_store(alone)), lambda: open_scorer(alone, os.environ))
    try:
        model, golden = run.champion, run.golden_set
        if model is None:
            raise CouldNotEvaluate(f"{chosen.model} has no {version}")
        if said := altered(str(version), model.digest, version.tags, digests(doors.log)(version.number)):
            raise CouldNotEvaluate(f"{said}; it was not asked")
        kinds = declared(own_answers(model, golden), chosen.endpoint.output, str(model.pinned))
        places = telling(kinds, count)
        columns, rows = plain_rows(golden.X.iloc[places])
        told = [(kind, [values[place] for place in places]) for kind, values in kinds]
        return GoldenRecord(str(model.pinned), columns, rows, told, chosen.endpoint.spec, chosen.endpoint.tolerance)
    finally:
        run.close()


def _write(file: Path, record: GoldenRecord) -> None:
    from pytest_mlgates.cache import write_atomically

    write_atomically(file, record.to_json().encode())
    kinds = ", ".join(kind for kind, _ in record.kinds)
    print(f"wrote {file}: {len(record.rows)} golden rows, answered by {record.model}: {kinds}")

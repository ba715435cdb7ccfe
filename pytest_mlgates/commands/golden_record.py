"""`mlgates golden record`: golden rows and a version's own answers, for `mlgates probe`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.commands.probe import RECORD

if TYPE_CHECKING:
    from pytest_mlgates.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", metavar="REF", help="alias or number (default: the champion)")
    parser.add_argument("--rows", type=int, default=5, help="how many golden rows (default 5)")
    parser.add_argument("--out", metavar="FILE", default=RECORD, help=f"default: {RECORD}")


def run(given: argparse.Namespace, chosen: Settings) -> int:
    """Raises UsageError for a version that does not exist, CouldNotEvaluate when it cannot be asked."""
    from pytest_mlgates.adapters.serving.http_endpoint import plain_rows
    from pytest_mlgates.cache import write_atomically
    from pytest_mlgates.doors.outside import golden_store, open_doors, registry_uri
    from pytest_mlgates.doors.scoring import open_scorer
    from pytest_mlgates.doors.serving import own_answers, telling
    from pytest_mlgates.errors import CouldNotEvaluate, UsageError
    from pytest_mlgates.golden_record import GoldenRecord
    from pytest_mlgates.pins import pin
    from pytest_mlgates.session.run import Run
    from pytest_mlgates.wires.likeness import declared

    if given.rows < 1:
        raise UsageError(f"--rows {given.rows}: one row at least")
    reference = given.version or chosen.champion
    alone = chosen.model_copy(update={"phase": "live", "champion": reference})
    doors = open_doors(alone, registry_uri(alone, os.environ))
    run = Run(alone, pin(alone, doors.registry, golden_store(alone)), lambda: open_scorer(alone, os.environ))
    try:
        model, golden = run.champion, run.golden_set
        if model is None:
            raise CouldNotEvaluate(f"{chosen.model} has no {reference!r}")
        kinds = declared(own_answers(model, golden), chosen.endpoint.output, str(model.pinned))
        places = telling(kinds, given.rows)
        columns, rows = plain_rows(golden.X.iloc[places])
        told = [(kind, [values[place] for place in places]) for kind, values in kinds]
        record = GoldenRecord(str(model.pinned), columns, rows, told, chosen.endpoint.spec, chosen.endpoint.tolerance)
    finally:
        run.close()
    write_atomically(Path(given.out), record.to_json().encode())
    print(f"wrote {given.out}: {len(rows)} golden rows, answered by {record.model}: {', '.join(k for k, _ in told)}")
    return 0

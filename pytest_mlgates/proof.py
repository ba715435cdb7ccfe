"""Before a version is made champion by hand: its files are the ones on record, and it answers golden rows."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_mlgates import fingerprint
from pytest_mlgates.doors import Doors, golden_store
from pytest_mlgates.errors import UsageError
from pytest_mlgates.golden import read_golden
from pytest_mlgates.ledger import State
from pytest_mlgates.measure.scores import as_scores
from pytest_mlgates.ports import Version
from pytest_mlgates.scoring import open_scorer
from pytest_mlgates.settings import Settings

#: Enough to see that the model loads and answers scores; its quality is not judged here.
_ROWS = 20


def existing(doors: Doors, settings: Settings, number: str) -> Version:
    """The version `number`. Raises UsageError when there is none."""
    found = doors.registry.find(number)
    if found is None:
        known = ", ".join(doors.registry.references()) or "none"
        raise UsageError(f"{settings.model} has no version {number!r}; it has: {known}")
    return found


def digest_on_record(state: State, number: str) -> str:
    """The digest of a version's files when the ledger last recorded it, or "" when it never did."""
    entries = [ruling.entry for ruling in state.counted if ruling.entry.to == number and ruling.entry.to_digest]
    return entries[-1].to_digest if entries else ""


def prove(doors: Doors, settings: Settings, version: Version, recorded: str) -> str:
    """Load `version` in a child and let it answer golden rows; the digest of its files.

    Raises UsageError when its files are not the recorded ones, CouldNotEvaluate when it does not load or answer.
    """
    files = doors.registry.files(version)
    digest = fingerprint.of_folder(Path(files))
    if recorded and digest != recorded:
        raise UsageError(
            f"the files of {version} were changed since they were recorded: their digest is {digest[:16]}..., the "
            f"ledger says {recorded[:16]}...; nothing was changed"
        )
    store = golden_store(settings)
    pointer = store.pointer()
    store.ensure(pointer)
    rows = read_golden(settings, pointer.md5).X.head(_ROWS)
    scorer = open_scorer(settings, os.environ)
    try:
        model = scorer.open(files, f"{settings.model} {version}")
        model.start(settings.score, rows)
        as_scores(model.answer(), len(rows), settings, f"{settings.model} {version}")
    finally:
        scorer.close()
    return digest

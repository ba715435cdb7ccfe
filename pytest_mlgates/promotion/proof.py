"""Before a version is made champion by hand: its files are the ones on record, and it answers golden rows."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_mlgates import fingerprint
from pytest_mlgates.doors.outside import Doors, golden_store
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.errors import UsageError
from pytest_mlgates.golden import read_golden
from pytest_mlgates.origin.provenance import altered
from pytest_mlgates.ports import Version
from pytest_mlgates.scores import as_classes, as_scores
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


def prove(doors: Doors, settings: Settings, version: Version, recorded: str, *, asked: bool = True) -> str:
    """Load `version` in a child and let it answer golden rows; the digest of its files. Without `asked` the files are
    only compared, for when there are no golden rows and it must serve again all the same.

    Raises UsageError when its files are not those that the ledger recorded or that training stamped on it,
    CouldNotEvaluate when it does not load or answer.
    """
    files = doors.registry.files(version)
    digest = fingerprint.of_folder(Path(files))
    said = altered(str(version), digest, version.tags, recorded)
    if said:
        raise UsageError(f"{said}; nothing was changed")
    if not asked:
        return digest
    store = golden_store(settings)
    pointer = store.pointer()
    store.ensure(pointer)
    golden = read_golden(settings, pointer.md5)
    rows = golden.X.head(_ROWS)
    scorer = open_scorer(settings, os.environ)
    try:
        model = scorer.open(files, f"{settings.model} {version}", version)
        model.start(settings.score, rows)
        answer, name = model.answer(), f"{settings.model} {version}"
        if settings.task == "multiclass":
            as_classes(answer, len(rows), settings, name, golden.classes)
        else:
            as_scores(answer, len(rows), settings, name)
    finally:
        scorer.close()
    return digest

"""What the commands on evidence files share: reading one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.report import evidence_file


def loaded(given: Path) -> dict[str, Any]:
    """The document in the file, or in the file of this name in the folder `given`. Raises UsageError."""
    file = given / evidence_file.FILE if given.is_dir() else given
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        schema = document["schema"]
    except OSError as problem:
        raise UsageError(f"{file} cannot be read ({problem.strerror}): give an evidence.json or its folder") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file} is no evidence: give an evidence.json that `pytest --mlgate` wrote") from None
    if schema != evidence_file.SCHEMA:
        raise UsageError(f"{file} is of schema {schema}, which this version does not read: update pytest-mlgates")
    return dict(document)

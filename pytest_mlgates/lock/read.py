"""Any lock file, told by its content."""

from __future__ import annotations

import json
import re
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock.conda import read_conda
from pytest_mlgates.lock.lock import Lock, own_form
from pytest_mlgates.lock.requirements import read_requirements
from pytest_mlgates.lock.tables import read_table

KNOWN = (
    "requirements.txt, uv.lock, poetry.lock, pdm.lock, pylock.toml, a conda-lock file, or what `mlgates lock` writes"
)
#: Keys under which an info route, or the labels of an image, may give the lock or its digest.
_KEYS = ("mlgates_lock", "mlgates.lock", "environment_lock", "lock", "lock_digest")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_lock(text: str, place: str) -> Lock | str:
    """The lock, or only its digest where no more is said (an image's label). Raises UsageError for unknown forms."""
    if not text.strip():
        raise UsageError(f"{place} is empty: give {KNOWN}")
    start = text.lstrip()[:1]
    if start in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if document is not None:
            return _of_json(document, place)
    if _DIGEST.fullmatch(text.strip()):
        return text.strip()
    if re.search(r"^\s*\[\[(package|packages)\]\]", text, re.MULTILINE) or re.search(r"^lock-version\s*=", text, re.M):
        return read_table(text, place)
    if re.search(r"^(metadata|package):\s*$", text, re.MULTILINE):
        return read_conda(text, place)
    if re.match(r"^\s*(<|\w+\s*=\s|---)", text):
        raise UsageError(f"{place} is of an unknown form: give {KNOWN}")
    return read_requirements(text, place)


def _of_json(document: Any, place: str) -> Lock | str:
    if isinstance(document, list) and len(document) == 1:  # as `docker inspect` prints it
        document = document[0]
    if not isinstance(document, dict):
        raise UsageError(f"{place} is JSON of an unknown form: give {KNOWN}")
    if "mlgates_lock" in document and "packages" in document:
        return own_form(document, place)
    labels = (document.get("Config") or {}).get("Labels") or document.get("Labels") or {}
    for found in (labels, document):
        for key in _KEYS:
            value = found.get(key) if isinstance(found, dict) else None
            if isinstance(value, dict):
                return own_form(value, place)
            if isinstance(value, str) and _DIGEST.fullmatch(value):
                return value
    raise UsageError(f"{place} says nothing of its lock: {' or '.join(map(repr, _KEYS[:3]))} is what is looked for")

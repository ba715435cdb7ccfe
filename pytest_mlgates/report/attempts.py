"""What models tried although no model may, in words: nothing is judged by it, and nobody should have to look for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates.report.facts import version
from pytest_mlgates.report.plaintext import clipped

TITLE = "What models tried although they may not"
_LONGEST = 300


def attempts(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """A line an attempt, for the terminal."""
    for role, told in found.items():
        yield from (f"the {clipped(role)} tried {_said(one)}" for one in told)


def tried(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """A table of a page, or none where nothing was tried; a document of an older version does not say."""
    rows = []
    for role, told in document.get("tried", {}).items():
        name = version(document.get(role.replace(" ", "_"))) or clipped(role)
        rows += [(f"{clipped(role)} ({name})" if name != clipped(role) else name, _said(one)) for one in told]
    return [(TITLE, rows)] if rows else []


def _said(one: Mapping[str, Any]) -> str:
    protection = clipped(one["protection"])
    held = f"refused ({protection})" if one["held"] else f"this machine lacks the protection against it ({protection})"
    return f"{clipped(one['what'], _LONGEST)}: {held}"

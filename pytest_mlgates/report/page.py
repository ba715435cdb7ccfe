"""report.html: the evidence as one page that needs nothing but itself, and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.report.rendering import rendered
from pytest_mlgates.report.view import FIRST, view

FILE = "report.html"


def page(document: Mapping[str, Any]) -> str:
    """The document (the plain data of evidence.json) as HTML. Raises KeyError or TypeError for other data."""
    seen = view(document)
    return rendered("page.html.jinja", v=seen, subject=seen.title.removeprefix(seen.action).strip(), first=FIRST)


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write the page whole or not at all. Raises OSError."""
    from pytest_mlgates.cache import write_atomically

    file = folder / FILE
    write_atomically(file, page(document).encode())
    return file

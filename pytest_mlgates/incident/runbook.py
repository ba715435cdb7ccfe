"""Where the runbook of a gate or an alert is: what it looks like, how to find out, how to put it right."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parents[1]


def folder() -> Path:
    """Inside the package in a wheel, in docs/ in a checkout."""
    inside = _HERE / "runbooks"
    return inside if inside.is_dir() else _HERE.parent / "docs" / "runbooks"


def names() -> list[str]:
    return sorted(file.stem for file in folder().glob("*.md"))


def link(name: str, base: str = "") -> str:
    """Under `base`, a URL, where the runbooks are published; else the command that shows it; "" where there is none."""
    if name not in names():
        return ""
    return f"{base.rstrip('/')}/{name}.md" if base else f"`mlgates runbook {name}`"

"""Lines for a terminal or a CI's log, in which no text from outside is a command."""

from __future__ import annotations

from pytest_mlgates.report.plaintext import visible


def spoken(line: str) -> str:
    """`line` without control characters; GitHub acts on a line that begins with ``::`` and on
    ``##[`` anywhere, so these are parted.
    """
    parted = visible(line).replace("##[", "## [")
    return parted.replace("::", ": :", 1) if parted.lstrip().startswith("::") else parted

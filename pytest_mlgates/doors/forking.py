"""What Windows does not have, said in one sentence before anything else goes wrong there."""

from __future__ import annotations

import sys

from pytest_mlgates.errors import CouldNotEvaluate


def must_fork(what: str) -> None:
    """Raises CouldNotEvaluate on Windows."""
    if sys.platform == "win32":
        raise CouldNotEvaluate(
            f"{what} in forked child processes, which Windows does not have: run this on Linux, or in WSL 2"
        )

"""Runs git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pytest_mlgates.errors import CouldNotEvaluate

_SECONDS = 20


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`git WORDS` in `folder`, whatever its exit code. Raises CouldNotEvaluate when it cannot be run or is silent."""
    command = ["git", "-C", str(folder), *words]
    # `status` would refresh the index, and stumble over another git that does.
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False, env=environ
        )
    except subprocess.TimeoutExpired:
        raise CouldNotEvaluate(f"git did not answer within {_SECONDS} s in {folder}") from None
    except OSError as problem:
        raise CouldNotEvaluate(f"git cannot be run ({problem.strerror}): install it") from None


def answer(folder: Path, *words: str) -> str | None:
    """What git says, or None when it cannot be run, is silent, or ends with an error."""
    try:
        done = git(folder, *words)
    except CouldNotEvaluate:
        return None
    return done.stdout if done.returncode == 0 else None

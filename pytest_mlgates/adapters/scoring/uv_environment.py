"""Environments built by uv, once each, and kept. Only wheels are installed, so nothing of a package runs meanwhile."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates.errors import CouldNotEvaluate

_DONE = ".complete"
_TIMEOUT = 1800.0


def built(folder: Path, name: str, lines: Sequence[str], interpreter: str, *, hashed: bool) -> Path:
    """The environment `folder`/`name` with exactly the packages of `lines` and none that they would bring along.

    One process builds it, the others wait. Raises CouldNotEvaluate, with uv's own words, and leaves nothing half done.
    """
    place = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if (place / _DONE).is_file():
            return place
        shutil.rmtree(place, ignore_errors=True)
        wanted = folder / f"{name}.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _uv(folder, "venv", "--no-project", "--python", interpreter or sys.executable, str(place))
        python = str(place / "bin" / "python")
        ways = ["--no-deps", "--no-build", "--compile-bytecode", *(["--require-hashes"] if hashed else [])]
        _uv(folder, "pip", "install", "--python", python, *ways, "-r", str(wanted))
        (place / _DONE).touch()
    return place


def _uv(folder: Path, *words: str) -> None:
    try:
        done = subprocess.run(
            [_program(), "--quiet", *words], cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise CouldNotEvaluate(f"uv could not be run: {problem}") from None
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())[-400:]
        raise CouldNotEvaluate(f"uv could not build the environment of the lock: {said}")


def _program() -> str:
    """Raises CouldNotEvaluate where there is none."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise CouldNotEvaluate('scoring_env = "lock" needs uv: pip install "pytest-mlgates[lock]"')
    return found

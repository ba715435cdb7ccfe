"""`dvc add`, and `dvc init` before it where there is no DVC repository yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pytest_mlgates.errors import UsageError

_LIMIT = 600


def needs_repository(folder: Path) -> bool:
    return not any((above / ".dvc").is_dir() for above in (folder.resolve(), *folder.resolve().parents))


def start_repository(root: Path) -> None:
    """`dvc init` in `root`; without git around it, `--no-scm`. Raises UsageError."""
    inside_git = any((above / ".git").exists() for above in (root.resolve(), *root.resolve().parents))
    at_top = (root / ".git").exists()
    _dvc(root, "init", "-q", *([] if at_top else ["--subdir"] if inside_git else ["--no-scm"]))


def add(golden: Path) -> None:
    """Pin `golden`. Raises UsageError with what DVC said."""
    _dvc(golden.parent, "add", golden.name)


def _dvc(folder: Path, *words: str) -> None:
    said = f"`dvc {' '.join(word for word in words if word != '-q')}`"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{said} took longer than {_LIMIT} s; run it by hand, then `mlgates init` again") from None
    if done.returncode:
        raise UsageError(f"{said} in {folder} failed: {_reason(done.stderr, folder)}")


def _reason(errors: str, folder: Path) -> str:
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    if any("No module named" in line for line in lines):
        return 'DVC is not installed: pip install "pytest-mlgates[golden]"'
    if any("already tracked by SCM" in line for line in lines):
        return f"git keeps the file already; in {folder}: `git rm --cached FILE`, commit, then `mlgates init` again"
    first = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no output")
    return first.removeprefix("ERROR: ")

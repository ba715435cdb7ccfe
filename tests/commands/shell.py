"""`mlgates ...` as a shell runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlgates import cli


def mlgates(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, in `folder`, with no terminal to ask on."""
    return subprocess.run(
        [sys.executable, "-m", "pytest_mlgates.cli", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def here(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """In this process, which is much faster: (exit code, stdout, stderr)."""
    code = cli.main(words)
    said = capsys.readouterr()
    return code, said.out, said.err

"""Runs the demo's training script as its reader would."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.processes import environment


def run(root: Path, recipes: Sequence[str], say: Callable[[str], None]) -> None:
    """`python train.py RECIPE ...` in `root`, one process for all (importing MLflow is what takes time).

    Raises DemoError with the script's last words when it fails; an interrupted script is killed.
    """
    say("MLflow: training and registering " + ", ".join(recipes))
    command = [sys.executable, "train.py", *recipes]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=root, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as script,
    ):
        try:
            for line in script.stdout or ():
                say(f"MLflow: {line.rstrip()}")
        except BaseException:
            script.kill()
            raise
        if script.wait():
            errors.seek(0)
            words = errors.read().strip().splitlines() or [f"exit {script.returncode}"]
            raise DemoError(f"`python train.py {' '.join(recipes)}` failed in {root}: {words[-1]}")

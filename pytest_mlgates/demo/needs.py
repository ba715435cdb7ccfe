"""What the demo needs on this machine, checked before anything is written."""

from __future__ import annotations

import importlib.util
import re
import shutil
from importlib.metadata import version

from pytest_mlgates.demo.errors import DemoError

#: The first MLflow whose `log_model` writes skops files.
MLFLOW = (3, 9)
INSTALL = {
    "dvc": 'DVC is not installed, and the demo pins its data with it: pip install "pytest-mlgates[golden]"',
    "sklearn": "scikit-learn is not installed, and the demo trains with it: pip install scikit-learn",
    "skops": "skops is not installed, and the demo saves its models with it: pip install skops",
}


def check() -> None:
    """Raises DemoError with the first thing that is missing and how to get it."""
    if shutil.which("git") is None:
        raise DemoError("git is not on PATH, and the demo is a git repository: install git and run again")
    for module, sentence in INSTALL.items():
        if importlib.util.find_spec(module) is None:
            raise DemoError(sentence)
    found = version("mlflow")
    if _release(found) < MLFLOW:
        raise DemoError(f'the demo needs MLflow 3.9 or later, not {found}: pip install "mlflow>=3.9"')


def check_incident() -> str:
    """Where Prometheus is. Raises DemoError without it."""
    program = shutil.which("prometheus")
    if program is None:
        raise DemoError("an incident is seen by Prometheus, which is not on PATH: apt-get install prometheus")
    return program


def _release(words: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", words)[:2])

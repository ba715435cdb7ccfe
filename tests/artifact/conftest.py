"""Where the packages lie that names are looked up in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_mlgates.artifact import Scan, scan


@pytest.fixture
def read(tmp_path: Path) -> object:
    """Reads a model folder as the gate does."""

    def reader(folder: Path) -> Scan:
        return scan(folder, packages=[Path(entry) for entry in sys.path if entry])

    return reader

"""The environment a model was trained in, package by package, from whatever lock file there is; and how two differ."""

from __future__ import annotations

from pytest_mlgates.lock.compare import Difference, differences
from pytest_mlgates.lock.lock import TAG, Lock, Package
from pytest_mlgates.lock.read import read_lock

__all__ = ["TAG", "Difference", "Lock", "Package", "differences", "read_lock"]

"""What other tools found, read from their files. Pure: bytes in, tests out; only a plain pass is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_mlgates.results import deepchecks, evidently, junit, mlflow
from pytest_mlgates.results.result import Result, Test, Unreadable

__all__ = ["KINDS", "Result", "Test", "Unreadable"]

#: kind -> what reads its bytes; raises Unreadable.
KINDS: Mapping[str, Callable[[bytes], Result]] = {
    "junit": junit.read,
    "mlflow": mlflow.read,
    "deepchecks": deepchecks.read,
    "evidently": evidently.read,
}

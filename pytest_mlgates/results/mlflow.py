"""`metrics.json` as `mlflow.models.evaluate(...).save(FOLDER)` writes it: figures, which the settings must judge."""

from __future__ import annotations

from pytest_mlgates.results.result import Result, Unreadable, document


def read(data: bytes) -> Result:
    """Raises Unreadable for anything but one flat table of numbers."""
    found = document(data)
    if not found:
        raise Unreadable("it holds no metric")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Unreadable(f"its {name[:60]!r} is {type(value).__name__}, not a number: is it metrics.json?")
    return Result((), metrics={name: float(value) for name, value in found.items()})

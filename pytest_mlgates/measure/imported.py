"""Results of other tools as evidence: counted test by test, with the file's digest. Whatever is in doubt is said."""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.policy.imported import Imported
from pytest_mlgates.results import KINDS, Result, Test, Unreadable
from pytest_mlgates.settings import Settings
from pytest_mlgates.wording import YES_NO

_LARGEST = 64 * 2**20
#: A time without a zone may be any place's.
_AHEAD = datetime.timedelta(hours=14)


def imported_results(settings: Settings, now: datetime.datetime | None = None) -> Iterator[Evidence]:
    """Evidence for each entry of the settings; details count tests by state. Raises CouldNotEvaluate for none."""
    if not settings.imported:
        raise CouldNotEvaluate(
            "no result is named: write [[tool.mlgates.imported]] with name, kind and file, or take imported off gates"
        )
    for entry in settings.imported:
        yield _evidence(entry, settings.base / entry.file, now or datetime.datetime.now(datetime.UTC))


def _evidence(entry: Imported, place: Path, now: datetime.datetime) -> Evidence:
    try:
        tests, digest = _tests(entry, place, now)
    except Unreadable as problem:
        told = {"reason": f"{entry.file} ({entry.kind}): {problem}"}
        return Evidence(f"{entry.name} passed", None, 0, unit=YES_NO, details=told)
    counts = {state: sum(test.state == state for test in tests) for state in _STATES}
    worst = [f"{test.name}: {test.state}{': ' + test.said if test.said else ''}" for test in tests if _bad(test)]
    details = {"file": entry.file, "sha256": digest, "tool": entry.kind, **counts, "not_passed": worst[:20]}
    return Evidence(
        f"{entry.name} passed", float(counts["passed"] == len(tests)), len(tests), unit=YES_NO, details=details
    )


_STATES = ("passed", "failed", "warned", "skipped", "crashed")


def _bad(test: Test) -> bool:
    return test.state != "passed"


def _tests(entry: Imported, place: Path, now: datetime.datetime) -> tuple[tuple[Test, ...], str]:
    """(tests, the file's sha256). Raises Unreadable for a file that is absent, empty, stale, or no such result."""
    if entry.kind == "mlflow" and place.is_dir():
        place = place / "metrics.json"
    try:
        with place.open("rb") as file:
            data = file.read(_LARGEST + 1)
        written = datetime.datetime.fromtimestamp(place.stat().st_mtime, datetime.UTC)
    except OSError as problem:
        raise Unreadable(f"it cannot be read: {problem.strerror}") from None
    if len(data) > _LARGEST:
        raise Unreadable(f"it is larger than {_LARGEST // 2**20} MiB")
    if not data.strip():
        raise Unreadable("it is empty")
    result = KINDS[entry.kind](data)
    # A file is copied more easily than its contents change: the older of the two times counts.
    _fresh(min(written, result.made or written), entry.max_age_hours, now)
    tests = result.tests or tuple(_limits(entry, result))
    if len(tests) < entry.tests:
        raise Unreadable(f"it has {len(tests)} tests; at least {entry.tests} must have run")
    return tests, hashlib.sha256(data).hexdigest()


def _fresh(made: datetime.datetime, hours: float, now: datetime.datetime) -> None:
    age = now - made
    if age > datetime.timedelta(hours=hours):
        raise Unreadable(f"it was made {age.total_seconds() / 3600:.0f} hours ago; at most {hours:g} are allowed")
    if age < -_AHEAD:
        raise Unreadable(f"it was made in the future ({made.isoformat(timespec='seconds')})")


def _limits(entry: Imported, result: Result) -> Iterator[Test]:
    asked = [(name, ">=", limit) for name, limit in entry.at_least.items()]
    asked += [(name, "<=", limit) for name, limit in entry.at_most.items()]
    for name, words, limit in asked:
        value, title = result.metrics.get(name), f"{name} {words} {limit:g}"
        if value is None:
            had = ", ".join(sorted(result.metrics)[:10])
            yield Test(title, "crashed", f"there is no such metric; there are {had}")
        elif not math.isfinite(value):
            yield Test(title, "crashed", f"it is {value}")
        else:
            holds = value >= limit if words == ">=" else value <= limit
            yield Test(title, "passed" if holds else "failed", f"it is {value:g}")

"""Test results of evidently: a report's `json()` with `tests` (0.6 and later), or a TestSuite's (before)."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.results.result import Result, State, Test, Unreadable, document, moment, undefined

_STATES: dict[str, State] = {
    "SUCCESS": "passed",
    "FAIL": "failed",
    "WARNING": "warned",
    "SKIPPED": "skipped",
    "ERROR": "crashed",
}


def read(data: bytes) -> Result:
    """Raises Unreadable for anything but a document with a list of tests whose own counts agree with it."""
    found = document(data)
    tests = found.get("tests")
    if not isinstance(tests, list) or not ({"metrics", "summary"} & set(found)):
        raise Unreadable("it has no list of `tests`: give the metrics tests, and write what json() gives")
    summary = found.get("summary")
    if isinstance(summary, dict) and summary.get("total_tests", len(tests)) != len(tests):
        raise Unreadable(f"its summary counts {summary['total_tests']} tests, and it holds {len(tests)}")
    metrics = [one for one in found.get("metrics") or () if isinstance(one, dict)]
    asked = sum(len((one.get("config") or {}).get("tests") or ()) for one in metrics)
    if asked > len(tests):
        raise Unreadable(f"its metrics were given {asked} tests, and it holds {len(tests)}")
    nan = {str(one.get("id")) for one in metrics if undefined(one.get("value"))}
    return Result(tuple(_test(one, nan) for one in tests), moment(found.get("timestamp")))


def _test(one: Any, nan: set[str]) -> Test:
    status = one.get("status") if isinstance(one, dict) else None
    if status not in _STATES:
        raise Unreadable(f"a test has the unknown status {str(status)[:60]!r}")
    state, words = _STATES[status], str(one.get("description") or "")[:300]
    if state == "passed" and str((one.get("metric_config") or {}).get("metric_id")) in nan:
        state, words = "crashed", "what it measured is not a number (NaN)"
    return Test(str(one.get("name") or "(without a name)"), state, words)

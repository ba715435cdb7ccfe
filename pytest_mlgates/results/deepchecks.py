"""`SuiteResult.to_json()` of deepchecks.

Its own `passed()` counts checks that crashed as passed (`fail_if_check_not_run` is False by default), and says nothing
of a check without a condition. Here a check that crashed is crashed, and a check without a condition is no test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_mlgates.results.result import Result, State, Test, Unreadable, document, undefined

_STATES: dict[str, State] = {"PASS": "passed", "FAIL": "failed", "WARN": "warned", "ERROR": "crashed"}


def read(data: bytes) -> Result:
    """Raises Unreadable for anything but a suite's result."""
    found = document(data)
    results = found.get("results")
    if not isinstance(results, list) or "name" not in found:
        raise Unreadable("it has no `name` and list of `results`: write what SuiteResult.to_json() gives")
    return Result(tuple(test for one in results for test in _tests(one)))


def _tests(one: Any) -> Iterator[Test]:
    if not isinstance(one, dict) or not isinstance(one.get("check"), dict):
        raise Unreadable("one of its results has no `check`")
    name = str(one.get("header") or one["check"].get("name") or "(without a name)")
    if "conditions_results" not in one or one.get("type") == "CheckFailure":
        yield Test(name, "crashed", str(one.get("exception") or "it did not run")[:300])
        return
    conditions = one["conditions_results"]
    if not isinstance(conditions, list):
        raise Unreadable(f"conditions_results of {name[:60]!r} is no list")
    for condition in conditions:
        if not isinstance(condition, dict) or condition.get("Status") not in _STATES:
            raise Unreadable(f"a condition of {name[:60]!r} has an unknown status")
        words = str(condition.get("More Info") or "")[:300]
        state = _STATES[condition["Status"]]
        if state == "passed" and undefined(_measured(one.get("value"))):
            state, words = "crashed", "what it measured is not a number (NaN)"
        yield Test(f"{name}: {condition.get('Condition')}", state, words)


def _measured(value: Any) -> Any:
    """The value without the features' importances, which are NaN where no model was given."""
    if not isinstance(value, dict):
        return value
    return {name: one for name, one in value.items() if name != "feature_importance"}

"""The reliability table: each test of a promise says what it found, and the run ends with all of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

_PROPERTY = "promise"


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """`promise(ROW, FOUND)` adds a row to the table; of a test that fails, the row says so."""

    def say(row: str, found: object) -> None:
        request.node.user_properties.append((_PROPERTY, json.dumps([row, str(found)])))

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [(outcome, r) for outcome in ("passed", "failed") for r in terminalreporter.getreports(outcome)]
    rows = [
        (*json.loads(str(text)), outcome)
        for outcome, report in ended
        if report.when == "call"
        for name, text in report.user_properties
        if name == _PROPERTY
    ]
    if not rows:
        return
    terminalreporter.section("promises of the ledger", sep="-")
    width = max(len(row) for row, _, _ in rows)
    for row, found, outcome in sorted(rows):
        terminalreporter.write_line(f"{row:<{width}}  {'' if outcome == 'passed' else 'NOT KEPT: '}{found}")

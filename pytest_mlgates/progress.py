"""What a person sees while gates run."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from pytest_mlgates.collected import records
from pytest_mlgates.verdict import Verdict, worst

#: Seconds between lines where the output is no terminal.
_PAUSE = 10.0
_LETTER = {Verdict.PASS: ".", Verdict.INCONCLUSIVE: "?", Verdict.ERROR: "E", Verdict.FAIL: "F"}
_COLOUR = {Verdict.PASS: "green", Verdict.INCONCLUSIVE: "yellow", Verdict.ERROR: "yellow", Verdict.FAIL: "red"}


class Progress:
    """Writes through pytest's own terminal, in place on a terminal and at most every ten seconds elsewhere."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._last = time.monotonic()
        self._started = self._last

    def start(self, name: str) -> None:
        self._started = time.monotonic()
        if sys.__stderr__ is not None and self._on_terminal():
            self.say(f"{name} ...")

    def say(self, message: str) -> None:
        reporter = self._reporter()
        if reporter is None:
            return
        now = time.monotonic()
        elapsed = f"{message} ({now - self._started:.0f} s)"
        if self._on_terminal():
            reporter.rewrite(elapsed, erase=True)
        elif now - self._last >= _PAUSE:
            self._last = now
            reporter.write_line(elapsed)

    def status(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """(category, letter, word) by verdict; a crash keeps pytest's own, with its traceback."""
        said = records(report)
        verdicts = [Verdict[r["finding"]["verdict"]] for r in said if "finding" in r]
        verdicts += [Verdict[r["verdict"]] for r in said if "trouble" in r]
        crashed = report.failed and not isinstance(report.longrepr, str)
        if not verdicts or crashed or report.when == "teardown" or (report.when == "setup" and report.passed):
            return None
        verdict = worst(verdicts)
        if verdict is Verdict.PASS:
            return None
        category = {Verdict.FAIL: "gates failed", Verdict.ERROR: "gates not evaluated"}
        return category.get(verdict, "gates inconclusive"), _LETTER[verdict], (verdict.name, {_COLOUR[verdict]: True})

    def _reporter(self) -> Any:
        if hasattr(self._config, "workerinput") or self._config.get_verbosity() < 0:
            return None
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def _on_terminal(self) -> bool:
        reporter = self._reporter()
        return reporter is not None and bool(reporter.isatty)

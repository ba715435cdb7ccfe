"""What a person sees while gates run: a sign of life every few seconds, and each gate's verdict."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from typing import Any

import pytest

from pytest_mlgates.report.spoken import spoken
from pytest_mlgates.session.collected import said_verdicts
from pytest_mlgates.verdict import Verdict, worst

#: Seconds between signs of life.
PAUSE = 10.0
#: "1,200 of 3,000 requests", "40 of up to 200"
_OF = re.compile(r"(\d[\d,]*) of (?:up to )?(\d[\d,]*)\b")
#: Below this share the time that is left cannot be told.
_SAYS_ENOUGH = 0.05
_LETTER = {Verdict.INCONCLUSIVE: "?", Verdict.ERROR: "E", Verdict.FAIL: "F"}
COLOUR = {Verdict.PASS: "green", Verdict.INCONCLUSIVE: "yellow", Verdict.ERROR: "yellow", Verdict.FAIL: "red"}


class Progress:
    """Says every `PAUSE` seconds which gates are running, for how long, and what they last said of themselves."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._running: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, name: str) -> None:
        self._running[name] = time.monotonic()
        if self._thread is None and self._config.get_verbosity() >= 0:
            self._thread = threading.Thread(target=self._live, daemon=True)
            self._thread.start()

    def say(self, name: str, message: str) -> None:
        self._said[name] = message

    def stop(self, name: str) -> None:
        self._running.pop(name, None)

    def end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _live(self) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        while reporter is not None and not self._ended.wait(PAUSE):
            now = time.monotonic()
            for name, since in list(self._running.items()):
                if now - since >= PAUSE / 2:
                    message = self._said.get(name, "still running")
                    with self._past_capture():
                        reporter.write_line(spoken(f"  {name}: {message} ({_times(message, now - since)})"))

    def _past_capture(self) -> contextlib.AbstractContextManager[None]:
        """While a test runs, pytest keeps what is written; a sign of life must get past it."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()


def _times(message: str, elapsed: float) -> str:
    """Seconds so far, and about how many are left where `message` begins with so many of so many."""
    done = _OF.match(message)
    if done is None:
        return f"{elapsed:.0f} s"
    share = _count(done[1]) / (_count(done[2]) or 1.0)
    if not _SAYS_ENOUGH <= share < 1.0:
        return f"{elapsed:.0f} s"
    return f"{elapsed:.0f} s, about {elapsed * (1 - share) / share:.0f} s left"


def _count(digits: str) -> float:
    return float(digits.replace(",", ""))


def status(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """(category, letter, word) by verdict; None leaves it to pytest: a pass, or a crash with its traceback."""
    verdicts = said_verdicts(report)
    crashed = report.failed and not isinstance(report.longrepr, str)
    if not verdicts or crashed or report.when == "teardown" or (report.when == "setup" and report.passed):
        return None
    verdict = worst(verdicts)
    if verdict is Verdict.PASS:
        return None
    return verdict.name, _LETTER[verdict], (verdict.name, {COLOUR[verdict]: True})

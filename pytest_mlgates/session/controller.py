"""Every hook of a session. The life of a gate: collect -> measure -> judge -> decide -> act -> report.

The first three happen where the test runs (`worker.py`); the rest once, on the controller, in
`Controller.pytest_sessionfinish`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from pytest_mlgates import extensions, shipped
from pytest_mlgates.errors import MlgatesError
from pytest_mlgates.report.attempts import attempts
from pytest_mlgates.report.spoken import spoken
from pytest_mlgates.session import setup
from pytest_mlgates.session.collected import Collected, records
from pytest_mlgates.session.junit import properties
from pytest_mlgates.session.outcome import Outcome
from pytest_mlgates.session.prepared import Prepared
from pytest_mlgates.session.progress import Progress, status
from pytest_mlgates.session.shown import show
from pytest_mlgates.session.tried import heard, listed
from pytest_mlgates.session.worker import Worker

NAME = "mlgates-session"
T = TypeVar("T")


def install(config: pytest.Config) -> None:
    """Register the role this process has, and the fixtures; what plugins add is known before settings name it."""
    if not setup.only_asks(config):
        config.add_cleanup(extensions.forget)
        _translated(lambda: extensions.gather(config.hook))
    for module in shipped.fixture_modules():
        config.pluginmanager.register(module)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker.from_controller(config), NAME)
    elif not setup.only_asks(config):
        config.pluginmanager.register(_translated(lambda: Controller.from_settings(config)), NAME)


class Controller(Worker):
    """Fixes what is judged and what must pass before anything is collected; decides, acts and reports at the end."""

    def __init__(self, config: pytest.Config, prepared: Prepared) -> None:
        super().__init__(config, prepared.settings, prepared.run, frozenset(prepared.required.waived))
        self.prepared = prepared
        self.progress = Progress(config)
        self.heard = Collected(narrowed=setup.narrowed_by(config))
        self.outcome: Outcome | None = None

    @classmethod
    def from_settings(cls, config: pytest.Config) -> Controller:
        prepared = setup.prepare(config)
        setup.choose_paths(config, prepared)
        return cls(config, prepared)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["mlgates"] = json.dumps(
            {
                "settings": self.settings.model_dump(mode="json"),
                "pins": self.run.pins.to_json(),
                "waived": sorted(self._waived),
                "args": self.config.args,
            }
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        said = json.loads(getattr(node, "workeroutput", {}).get("mlgates", "{}"))
        self.heard.known |= said.get("known", {})
        self.heard.deselected |= set(said.get("deselected", ()))
        self.heard.other_phase |= said.get("other_phase", {})
        self.heard.usage_problem = self.heard.usage_problem or said.get("usage_problem", "")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.heard.hear(report)
        self.run.hear(heard(report))
        if report.when == "teardown":  # from which JUnit's file takes them
            report.user_properties += properties(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.heard.uncollected[report.nodeid] = f"{report.nodeid} cannot be collected"

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Called for pytest.exit() as well, which may choose any exit code, 0 too."""
        self.heard.interrupted = f"the session was interrupted before its end ({excinfo.typename})"

    def pytest_report_header(self) -> list[str]:
        return self.prepared.header()

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        return status(report) if records(report) else None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.progress.start(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.progress.stop(nodeid)

    def say(self, item: pytest.Item, message: str) -> None:
        self.progress.say(item.nodeid, message)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session | None = None, exitstatus: int = 0) -> None:
        super().pytest_sessionfinish()
        self.progress.end()
        assert session is not None
        self.heard.known |= {name: spec.place for name, spec in self.specs.items()}
        self.heard.deselected |= self.deselected
        self.heard.other_phase |= self.other_phase
        # A plugin that was told before may have said otherwise.
        exitstatus = int(exitstatus or session.exitstatus)
        self.outcome = Outcome.of(self.prepared, self.heard, exitstatus, collect_only=self.config.option.collectonly)
        self.outcome.carry_out()
        session.exitstatus = self.outcome.exit_code

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.outcome is not None:
            for line in attempts(listed(self.run.tried())):
                terminalreporter.write_line(spoken(line))
            show(self.outcome, terminalreporter)


def _translated(make: Callable[[], T]) -> T:
    try:
        return make()
    except MlgatesError as problem:
        raise pytest.UsageError(str(problem)) from None

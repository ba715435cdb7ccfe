"""Every run-time hook, by role. The life of a gate: collect -> measure -> judge -> decide -> act -> report.

The first three happen where the test runs, perhaps in an xdist worker; the rest once, on the controller, in
`Controller.pytest_sessionfinish`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_mlgates import setup, shipped
from pytest_mlgates.collected import Collected, record, records
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError, UsageError
from pytest_mlgates.gate import Gate
from pytest_mlgates.outcome import Outcome
from pytest_mlgates.pins import Pins
from pytest_mlgates.policy import STAGES
from pytest_mlgates.progress import Progress
from pytest_mlgates.run import Run
from pytest_mlgates.settings import Settings
from pytest_mlgates.spec import GateSpec, spec_of
from pytest_mlgates.verdict import Verdict, worst

NAME = "mlgates-session"
_SPEC = pytest.StashKey[GateSpec]()
_GATE = pytest.StashKey[Gate]()
_PINNED_FIXTURES = ("golden_set", "champion", "challenger")


def install(config: pytest.Config) -> None:
    """Register the role this process has, and the fixtures."""
    role: Worker
    if hasattr(config, "workerinput"):
        role = Worker.from_controller(config)
    elif setup.only_asks(config):
        return
    else:
        role = _translated(lambda: Controller.from_settings(config))
    config.pluginmanager.register(role, NAME)
    for module in shipped.fixture_modules():
        config.pluginmanager.register(module)


class Worker:
    """Collects, measures and judges, wherever tests run."""

    def __init__(self, config: pytest.Config, settings: Settings, run: Run, waived: frozenset[str]) -> None:
        self.config, self.settings, self.run = config, settings, run
        self.progress = Progress(config)
        self.specs: dict[str, GateSpec] = {}
        self.deselected: set[str] = set()
        self.usage_problem = ""
        self._waived = waived
        self._identity: list[pytest.Item] = []
        self._identity_verdicts: dict[str, Verdict] = {}

    @classmethod
    def from_controller(cls, config: pytest.Config) -> Worker:
        sent = json.loads(config.workerinput["mlgates"])  # type: ignore[attr-defined]
        settings = Settings.model_validate_json(json.dumps(sent["settings"]), strict=False)
        config.args = sent["args"]
        run = Run(settings, Pins.from_json(sent["pins"]), lambda: setup.scorer(settings))
        return cls(config, settings, run, frozenset(sent["waived"]))

    def gate_of(self, item: pytest.Item) -> Gate:
        """The `gate` fixture of a test. Raises CouldNotEvaluate for a test that is no gate."""
        spec = item.stash.get(_SPEC, None)
        if spec is None:
            raise CouldNotEvaluate(f'{item.nodeid} asks for `gate`: mark it with @pytest.mark.mlgate("NAME")')
        gate = Gate(spec, self.settings, self.run.pins, lambda data: _remember(item, **data), self.progress.say)
        item.stash[_GATE] = gate
        return gate

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool | None:
        return True if self.run.pins.nothing else None

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        if module_path in shipped.gate_files().values():
            # Outside the user's rootdir pytest would give a bare node id, which says nothing.
            return ShippedGate.from_parent(parent, path=module_path, nodeid=f"pytest_mlgates/gates/{module_path.name}")
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        try:
            for item in items:
                self._introduce(item)
        except UsageError as problem:
            if not hasattr(self.config, "workerinput"):
                raise pytest.UsageError(str(problem)) from None
            # A worker cannot end the session in order; the controller can.
            self.usage_problem = str(problem)
            items.clear()
            return
        items.sort(key=_stage)
        self._identity = [item for item in items if item.stash.get(_SPEC, None) and _stage(item) == 0]

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected |= {item.stash[_SPEC].name for item in items if _SPEC in item.stash}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if _SPEC in item.stash and _stage(item) > 0:
            self._prove_identity(item)
        result = yield
        if item in self._identity:
            self._identity_verdicts[item.stash[_SPEC].name] = _verdict_of(item)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        spec = item.stash.get(_SPEC, None)
        if spec is None:
            return
        self.progress.start(spec.name)
        if spec.timing and hasattr(self.config, "workerinput"):
            raise NotRun(Verdict.INCONCLUSIVE, "times measured beside other tests say nothing: run without -n")
        unproven = [name for name, v in self._identity_verdicts.items() if v is not Verdict.PASS]
        unproven = [name for name in unproven if name not in self._waived]
        if _stage(item) > 0 and (unproven or not self._identity):
            which = ", ".join(unproven) or "no identity gate was collected"
            raise NotRun(Verdict.ERROR, f"not run: identity is not proven ({which})")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        gate = item.stash.get(_GATE, None)
        if gate is not None:
            self._check_pinned(item, gate)
        result = yield
        if gate is not None and gate.judgements and gate.verdict() is not Verdict.PASS:
            raise VerdictReached("\n".join(j.finding.sentence for j in gate.judgements if j.verdict is gate.verdict()))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What an exception means for the gate; one of our own needs no traceback."""
        spec = item.stash.get(_SPEC, None)
        raised = call.excinfo.value if call.excinfo else None
        ours = isinstance(raised, (MlgatesError, VerdictReached))
        if spec is not None and raised is not None:
            trouble = _trouble(raised)
            if trouble is not None:
                _remember(item, trouble=trouble[1], verdict=trouble[0].name)
        report = yield
        if ours:
            report.longrepr = str(raised)
        return report

    def pytest_sessionfinish(self) -> None:
        self.run.close()
        if hasattr(self.config, "workeroutput"):
            heard = {
                "known": {name: spec.place for name, spec in self.specs.items()},
                "deselected": sorted(self.deselected),
                "usage_problem": self.usage_problem,
            }
            self.config.workeroutput["mlgates"] = json.dumps(heard)

    def pytest_unconfigure(self) -> None:
        self.run.close()

    def _introduce(self, item: pytest.Item) -> None:
        spec = spec_of(item, self.settings)
        if spec is None:
            return
        if spec.name in self.specs:
            raise UsageError(
                f"the gate {spec.name!r} is defined twice: {self.specs[spec.name].place} and {spec.place}; give one "
                "another name, or judge several things in one gate by calling gate.judge for each"
            )
        self.specs[spec.name] = spec
        item.stash[_SPEC] = spec
        _remember(item, gate=spec.record())
        if isinstance(item.parent, ShippedGate):
            # A user's `filterwarnings = error` is about the user's code.
            item.add_marker(pytest.mark.filterwarnings("default"))

    def _prove_identity(self, before: pytest.Item) -> None:
        """Each process proves identity for itself before it loads anything: under xdist the identity gates may
        be another worker's, or be deselected.
        """
        for item in self._identity:
            if item.stash[_SPEC].name not in self._identity_verdicts:
                told = list(item.user_properties)
                runtestprotocol(item, log=False, nextitem=before)
                self._identity_verdicts[item.stash[_SPEC].name] = _verdict_of(item)
                item.user_properties[:] = told

    def _check_pinned(self, item: pytest.Item, gate: Gate) -> None:
        """A conftest may define a fixture with one of our names; a gate must judge what was pinned."""
        used: Mapping[str, Any] = getattr(item, "funcargs", {})
        if used.get("gate", gate) is not gate:
            raise CouldNotEvaluate("the fixture `gate` is not the one of pytest-mlgates: rename the one that hides it")
        for name in _PINNED_FIXTURES:
            if name in used and used[name] is not getattr(self.run, name):
                raise CouldNotEvaluate(
                    f"the fixture `{name}` is not what this run pinned: a conftest defines its own; rename that one"
                )


class Controller(Worker):
    """Fixes what is judged and what must pass before anything is collected; decides, acts and reports at the end."""

    def __init__(self, config: pytest.Config, prepared: setup.Prepared) -> None:
        super().__init__(config, prepared.settings, prepared.run, frozenset(prepared.required.waived))
        self.prepared = prepared
        self.heard = Collected()
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
        self.heard.usage_problem = self.heard.usage_problem or said.get("usage_problem", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.heard.hear(report)

    def pytest_report_header(self) -> list[str]:
        return self.prepared.header()

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        return self.progress.status(report) if records(report) else None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session | None = None, exitstatus: int = 0) -> None:
        super().pytest_sessionfinish()
        assert session is not None
        self.heard.known |= {name: spec.place for name, spec in self.specs.items()}
        self.heard.deselected |= self.deselected
        self.outcome = Outcome.of(self.prepared, self.heard, exitstatus, collect_only=self.config.option.collectonly)
        self.outcome.carry_out()
        session.exitstatus = self.outcome.exit_code

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.outcome is not None:
            self.outcome.print_to(terminalreporter)


class ShippedGate(pytest.Module):
    """A file of the shipped gates, whose tests are found whatever the user's python_functions says."""

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")


class NotRun(MlgatesError):
    """A gate that must not run, with the verdict that follows."""

    def __init__(self, verdict: Verdict, sentence: str) -> None:
        super().__init__(sentence)
        self.verdict = verdict


class VerdictReached(Exception):
    """Raised once, at the end of a gate that did not pass; its judgements have been recorded already."""


def _trouble(raised: BaseException) -> tuple[Verdict, str] | None:
    """(verdict, sentence) for an exception that ended a gate; None for the raise that only says its verdict."""
    if isinstance(raised, NotRun):
        return raised.verdict, str(raised)
    if isinstance(raised, MlgatesError):
        return Verdict.ERROR, str(raised)
    if isinstance(raised, (VerdictReached, pytest.skip.Exception)):
        return None  # the judgements, or the report itself, say so
    if isinstance(raised, pytest.fail.Exception):
        return Verdict.FAIL, str(raised)
    if isinstance(raised, AssertionError):
        lines = str(raised).strip().splitlines()
        return Verdict.FAIL, f"the assertion failed: {lines[0] if lines else 'assert'}"
    return Verdict.ERROR, f"the gate crashed: {type(raised).__name__}: {raised}"[:500]


def _verdict_of(item: pytest.Item) -> Verdict:
    """What a gate that has just run in this process said."""
    gate = item.stash.get(_GATE, None)
    said = [json.loads(str(value)) for name, value in item.user_properties if name == "mlgate"]
    troubles = [Verdict[entry["verdict"]] for entry in said if "trouble" in entry]
    return worst([*troubles, gate.verdict() if gate else Verdict.ERROR])


def _remember(item: pytest.Item, **data: Any) -> None:
    item.user_properties.append(record(**data))


def _stage(item: pytest.Item) -> int:
    """Gates in order of stage; tests that are no gates come last."""
    spec = item.stash.get(_SPEC, None)
    return STAGES.index(spec.stage) if spec else len(STAGES)


def _translated(make: Any) -> Any:
    try:
        return make()
    except UsageError as problem:
        raise pytest.UsageError(str(problem)) from None

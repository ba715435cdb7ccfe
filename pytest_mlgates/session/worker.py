"""What happens where tests run, perhaps in an xdist worker: gates are collected, ordered, run, and judged."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_mlgates import shipped
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.doors.serving import FIXTURES
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.gate import Gate
from pytest_mlgates.pins import Pins
from pytest_mlgates.policy import LOADS_NOTHING, STAGES
from pytest_mlgates.session.collected import record, said_verdicts
from pytest_mlgates.session.run import Run
from pytest_mlgates.session.tried import Tried, recorded
from pytest_mlgates.session.trouble import SELF_EXPLAINING, NotRun, VerdictReached, trouble_of
from pytest_mlgates.settings import Settings
from pytest_mlgates.spec import GateSpec, spec_of
from pytest_mlgates.verdict import Verdict, worst

_SPEC = pytest.StashKey[GateSpec]()
_GATE = pytest.StashKey[Gate]()
_PINNED_FIXTURES = ("golden_set", "champion", "challenger", "first_champion")


class Worker:
    """Collects, measures and judges, wherever tests run."""

    def __init__(self, config: pytest.Config, settings: Settings, run: Run, waived: frozenset[str]) -> None:
        self.config, self.settings, self.run = config, settings, run
        self.specs: dict[str, GateSpec] = {}
        self.deselected: set[str] = set()
        self.other_phase: dict[str, str] = {}
        self.usage_problem = ""
        self._waived = waived
        self._told: set[Tried] = set()
        self._identity: list[pytest.Item] = []
        self._identity_verdicts: dict[str, Verdict] = {}

    @classmethod
    def from_controller(cls, config: pytest.Config) -> Worker:
        sent = json.loads(config.workerinput["mlgates"])  # type: ignore[attr-defined]
        settings = Settings.model_validate_json(json.dumps(sent["settings"]), strict=False)
        config.args = sent["args"]
        run = Run(settings, Pins.from_json(sent["pins"]), lambda: open_scorer(settings, os.environ))
        return cls(config, settings, run, frozenset(sent["waived"]))

    def gate_of(self, item: pytest.Item) -> Gate:
        """The `gate` fixture of a test. Raises CouldNotEvaluate for a test that is no gate."""
        spec = item.stash.get(_SPEC, None)
        if spec is None:
            raise CouldNotEvaluate(f'{item.nodeid} asks for `gate`: mark it with @pytest.mark.mlgate("NAME")')
        gate = Gate(
            spec, self.settings, self.run.pins, lambda data: _remember(item, **data), lambda text: self.say(item, text)
        )
        item.stash[_GATE] = gate
        return gate

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool | None:
        # An xdist worker must go through the motions: its controller waits to hear what was collected.
        return True if self.run.pins.nothing and not hasattr(self.config, "workerinput") else None

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        if module_path in shipped.gate_files().values():
            # Outside the user's rootdir pytest would give a bare node id, which says nothing.
            return ShippedGate.from_parent(parent, path=module_path, nodeid=f"pytest_mlgates/gates/{module_path.name}")
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.run.pins.nothing:
            items.clear()
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
        items[:] = [item for item in items if not self._of_another_phase(item)]
        items.sort(key=_stage)
        self._identity = [item for item in items if item.stash.get(_SPEC, None) and _stage(item) == 0]

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected |= {item.stash[_SPEC].name for item in items if _SPEC in item.stash}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if _SPEC in item.stash and _needs_identity(item):
            self._prove_identity(item)
        result = yield
        if item in self._identity:
            self._identity_verdicts[item.stash[_SPEC].name] = worst(said_verdicts(item))
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        spec = item.stash.get(_SPEC, None)
        if spec is None:
            return
        if spec.timing and hasattr(self.config, "workerinput"):
            raise NotRun(Verdict.INCONCLUSIVE, "times measured beside other tests say nothing: run without -n")
        _check_own_fixtures(item)
        unproven = [name for name, v in self._identity_verdicts.items() if v is not Verdict.PASS]
        unproven = [name for name in unproven if name not in self._waived]
        if _needs_identity(item) and (unproven or not self._identity):
            which = ", ".join(unproven) or "no identity gate was collected; golden_integrity is one"
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
        trouble = trouble_of(raised) if spec is not None and raised is not None else None
        if trouble is not None:
            _remember(item, trouble=trouble[1], verdict=trouble[0].name)
        self._tell_tried(item)
        report = yield
        if isinstance(raised, SELF_EXPLAINING):
            report.longrepr = str(raised)
        return report

    def pytest_sessionfinish(self) -> None:
        self.run.close()
        if hasattr(self.config, "workeroutput"):
            heard = {
                "known": {name: spec.place for name, spec in self.specs.items()},
                "deselected": sorted(self.deselected),
                "other_phase": self.other_phase,
                "usage_problem": self.usage_problem,
            }
            self.config.workeroutput["mlgates"] = json.dumps(heard)

    def pytest_unconfigure(self) -> None:
        self.run.close()

    def say(self, item: pytest.Item, message: str) -> None:
        """A worker has no terminal; its controller says which gates are running."""

    def _tell_tried(self, item: pytest.Item) -> None:
        """What is new goes with the report of whichever test is at work, gate or not."""
        fresh = self.run.tried() - self._told
        self._told |= fresh
        item.user_properties += recorded(fresh)

    def _introduce(self, item: pytest.Item) -> None:
        spec = spec_of(item, self.settings)
        if spec is None:
            return
        if spec.name in shipped.gate_files() and not isinstance(item.parent, ShippedGate):
            raise UsageError(
                f"{spec.place} takes the name of the shipped gate {spec.name!r}, for which it could stand in: give it "
                f'one of its own, e.g. @pytest.mark.mlgate("my_{spec.name}"), and waive the shipped one if it must not '
                "judge"
            )
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

    def _of_another_phase(self, item: pytest.Item) -> bool:
        spec = item.stash.get(_SPEC, None)
        if spec is None or spec.phase == self.settings.phase or spec.stage == STAGES[0]:
            return False
        self.other_phase[spec.name] = spec.phase
        return True

    def _prove_identity(self, before: pytest.Item) -> None:
        """Each process proves identity for itself before it loads anything: under xdist the identity gates may
        be another worker's, or be deselected.
        """
        for item in self._identity:
            if item.stash[_SPEC].name not in self._identity_verdicts:
                told = list(item.user_properties)
                runtestprotocol(item, log=False, nextitem=before)
                self._identity_verdicts[item.stash[_SPEC].name] = worst(said_verdicts(item))
                item.user_properties[:] = told

    def _check_pinned(self, item: pytest.Item, gate: Gate) -> None:
        """A conftest may define a fixture with one of our names; a gate must judge what was pinned."""
        used: Mapping[str, Any] = getattr(item, "funcargs", {})
        if used.get("gate", gate) is not gate:
            raise CouldNotEvaluate("the fixture `gate` is not the one of pytest-mlgates: rename the one that hides it")
        for name in (*_PINNED_FIXTURES, *FIXTURES):
            if name in used and used[name] is not self._pinned(name):
                raise CouldNotEvaluate(
                    f"the fixture `{name}` is not what this run pinned: a conftest defines its own; rename that one"
                )

    def _pinned(self, name: str) -> Any:
        return self.run.serving.handed_out(name) if name in FIXTURES else getattr(self.run, name)


class ShippedGate(pytest.Module):
    """A file of the shipped gates, whose tests are found whatever the user's python_functions says."""

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")


def _check_own_fixtures(item: pytest.Item) -> None:
    """Another plugin, or a conftest, may have fixtures with our names; a shipped gate must be handed ours."""
    if not isinstance(item, pytest.Function) or not isinstance(item.parent, ShippedGate):
        return
    known, asked = item._fixtureinfo.name2fixturedefs, list(item._fixtureinfo.argnames)
    # Not what only an autouse fixture of the user's asks for.
    for name in asked:
        found = known.get(name, ())
        asked += [one for one in (found[-1].argnames if found else ()) if one not in asked]
        ours = [one.func.__module__.startswith(f"{shipped.FIXTURES}.") for one in found]
        # What a run pins is compared with what the run has.
        if any(ours) and not ours[-1] and name not in ("gate", *_PINNED_FIXTURES, *FIXTURES):
            raise CouldNotEvaluate(
                f"the fixture `{name}` is not the one of pytest-mlgates: rename the one that hides it"
            )


def _remember(item: pytest.Item, **data: Any) -> None:
    item.user_properties.append(record(**data))


def _needs_identity(item: pytest.Item) -> bool:
    """Whether a gate may load something, which must be known first."""
    return _stage(item) > 0 and item.stash[_SPEC].kind not in LOADS_NOTHING


def _stage(item: pytest.Item) -> int:
    """Gates in order of stage; tests that are no gates come last."""
    spec = item.stash.get(_SPEC, None)
    return STAGES.index(spec.stage) if spec else len(STAGES)

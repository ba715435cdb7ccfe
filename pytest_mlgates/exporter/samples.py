"""Facts in, samples out. What is not known has no sample at all: an old figure must never look like a new one."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.incident import Incident, Severity, State, times
from pytest_mlgates.incident.times import overdue
from pytest_mlgates.ledger import Kind
from pytest_mlgates.ledger import State as Ledger
from pytest_mlgates.ledger.history import judged_on, reigns

_VERDICTS = ("PASS", "INCONCLUSIVE", "ERROR", "FAIL")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric; of a summary `count` as well, and `value` is the sum."""

    name: str
    labels: Mapping[str, str]
    value: float
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tracked:
    """A file that DVC tracks: `role` is golden or data, `pinned` seconds since 1970 (None: not committed), `same`
    whether the file is what is pinned (None: could not be told)."""

    file: str
    role: str
    size: int | None
    pinned: float | None
    same: bool | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in one collection; `ledger` and `incidents` are None when they could not be read."""

    model: str
    now: float
    ledger: Ledger | None = None
    errors: int = 0
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tracked: Sequence[Tracked] = ()
    golden: str = ""
    budget: int = 0
    incidents: Iterable[Incident] | None = None


def samples(facts: Facts) -> list[Sample]:
    """Every sample of this collection, each with the label `model`."""
    found = [*_registry(facts), *_runs(facts), *_data(facts), *_incidents(facts)]
    return [
        Sample(one.name, {"model": facts.model, **one.labels}, one.value, one.count)
        for one in found
        if not math.isnan(one.value)
    ]


def _registry(facts: Facts) -> Iterator[Sample]:
    yield Sample("mlgates_registry_up", {}, float(facts.ledger is not None))
    yield Sample("mlgates_registry_errors_total", {}, facts.errors)
    state = facts.ledger
    if state is None or not state.rulings:
        return
    past = reigns(state)
    if past and not past[-1].until and past[-1].version == state.champion:
        yield Sample("mlgates_champion_info", {"version": past[-1].version, "run_id": past[-1].run}, 1)
        yield Sample("mlgates_champion_since_timestamp_seconds", {}, _seconds(past[-1].since))
    entries = [ruling.record.entry for ruling in state.rulings if ruling.record.entry is not None]
    for kind, count in sorted(Counter(str(entry.kind) for entry in entries).items()):
        yield Sample("mlgates_ledger_entries", {"kind": kind}, count)
    drills = [entry for entry in entries if entry.kind is Kind.DRILL]
    if drills:
        yield Sample("mlgates_drill_timestamp_seconds", {}, _seconds(drills[-1].time))
    passed = [entry for entry in drills if entry.reason.startswith("PASS ")]
    if passed:
        yield Sample("mlgates_drill_passed_timestamp_seconds", {}, _seconds(passed[-1].time))
    if facts.golden:
        yield Sample("mlgates_golden_budget_spent", {}, len(judged_on(state, facts.golden)))
        yield Sample("mlgates_golden_budget_size", {}, facts.budget)


def _runs(facts: Facts) -> Iterator[Sample]:
    for phase, run in sorted(facts.runs.items()):
        yield Sample("mlgates_run_timestamp_seconds", {"phase": phase}, float(run["finished_at"]))
        yield Sample("mlgates_run_action", {"phase": phase, "action": str(run["action"])}, 1)
        for gate in run["gates"]:
            where = {"phase": phase, "gate": str(gate["name"])}
            for verdict in _VERDICTS:
                yield Sample("mlgates_gate_verdict", {**where, "verdict": verdict}, float(verdict == gate["verdict"]))
            measured: dict[tuple[str, str, str], float] = {}
            for one in gate["measured"]:
                key = (str(one["measure"]), str(one["where"]), str(one["unit"]))
                measured.setdefault(key, _number(one["value"]))  # a name twice would make the whole answer invalid
            for (measure, narrowed, unit), value in measured.items():
                labels = {**where, "measure": measure, "where": narrowed, "unit": unit}
                yield Sample("mlgates_gate_measure", labels, value)


def _data(facts: Facts) -> Iterator[Sample]:
    for one in facts.tracked:
        labels = {"file": one.file, "role": one.role}
        if one.size is not None:
            yield Sample("mlgates_dvc_tracked_bytes", labels, one.size)
        if one.pinned is not None:
            yield Sample("mlgates_dvc_pinned_timestamp_seconds", labels, one.pinned)
            if one.role == "golden":
                yield Sample("mlgates_golden_frozen_timestamp_seconds", {}, one.pinned)
        if one.same is not None:
            yield Sample("mlgates_dvc_up_to_date", labels, float(one.same))


def _incidents(facts: Facts) -> Iterator[Sample]:
    yield Sample("mlgates_incidents_up", {}, float(facts.incidents is not None))
    if facts.incidents is None:
        return
    mine = [incident for incident in facts.incidents if incident.model == facts.model]
    still = Counter(incident.severity for incident in mine if incident.state is not State.CLOSED)
    for severity in Severity:
        yield Sample("mlgates_incidents_open", {"severity": str(severity)}, still[str(severity)])
    for (bad, source), count in sorted(Counter((i.severity, i.source) for i in mine).items()):
        yield Sample("mlgates_incidents_total", {"severity": bad, "source": source}, count)
    yield Sample("mlgates_incidents_overdue", {}, sum(overdue(incident, facts.now) for incident in mine))
    took = [times(incident) for incident in mine]
    for name in ("detect", "acknowledge", "restore"):
        known = [seconds for one in took if (seconds := getattr(one, name)) is not None]
        yield Sample(f"mlgates_incident_{name}_seconds", {}, math.fsum(known), len(known))


def _seconds(time: str) -> float:
    """Seconds since 1970; NaN, which is left out, for a time that cannot be read."""
    try:
        return datetime.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return math.nan


def _number(value: Any) -> float:
    """NaN, which is left out, for what is not known; infinite values stay."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

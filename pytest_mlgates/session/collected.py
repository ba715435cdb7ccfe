"""Puts the reports of a session together: what each gate said, which never reported, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import pytest

from pytest_mlgates import shipped
from pytest_mlgates.decision import GateOutcome
from pytest_mlgates.evidence import from_plain
from pytest_mlgates.tiers import Tier
from pytest_mlgates.verdict import Finding, Judgement, Verdict, worst

#: The name under which a gate's records travel in `user_properties`; JUnit XML shows them for free.
PROPERTY = "mlgate"


def record(**data: Any) -> tuple[str, str]:
    """One record as a user property: a JSON string, the one thing that every wire carries."""
    return PROPERTY, json.dumps(data, sort_keys=True, allow_nan=False)


def records(source: pytest.Item | pytest.TestReport | pytest.CollectReport) -> list[dict[str, Any]]:
    return [json.loads(str(value)) for name, value in getattr(source, "user_properties", ()) if name == PROPERTY]


def said_verdicts(source: pytest.Item | pytest.TestReport) -> list[Verdict]:
    """The verdicts of the judgements and troubles recorded so far."""
    said = records(source)
    verdicts = [Verdict[r["finding"]["verdict"]] for r in said if "finding" in r]
    return verdicts + [Verdict[r["verdict"]] for r in said if "trouble" in r]


@dataclass
class Attempt:
    """One run of one gate in one process: its reports for setup, call and teardown."""

    worker: str = ""
    reports: list[pytest.TestReport] = field(default_factory=list)

    def outcome(self, name: str) -> GateOutcome:
        said = records(self.reports[-1])
        judgements = tuple(_judgement(r) for r in said if "finding" in r)
        troubles = [(Verdict[r["verdict"]], r["trouble"]) for r in said if "trouble" in r]
        explained = bool(troubles) or any(j.verdict is not Verdict.PASS for j in judgements)
        troubles += [(Verdict.ERROR, why) for why in self._unproven(explained)]
        if not judgements and not troubles:
            troubles.append((Verdict.ERROR, "the gate judged nothing: call gate.judge(evidence, rule)"))
        verdict = worst([*(j.verdict for j in judgements), *(v for v, _ in troubles)])
        head = next((r for r in said if "gate" in r), {})
        return GateOutcome(
            name=name,
            verdict=verdict,
            judgements=judgements,
            trouble=next((why for v, why in troubles if v is verdict), ""),
            stage=head.get("gate", {}).get("stage", ""),
            tier=Tier(head.get("gate", {}).get("tier", Tier.ASK)),
            place=self.reports[0].nodeid,
            seconds=sum(report.duration for report in self.reports),
            at=_at(self.reports[0]),
        )

    def _unproven(self, explained: bool) -> list[str]:
        """Reports whose outcome contradicts a pass, whatever was judged before; `explained` says that the gate's
        own records tell why it did not pass.
        """
        found = []
        for report in self.reports:
            if hasattr(report, "wasxfail") or str(report.longrepr).startswith("[XPASS(strict)]"):
                found.append("the gate is marked xfail, so its outcome proves nothing: remove the mark")
            elif report.skipped:
                found.append(f"the gate was skipped ({_reason(report)}): a skipped gate proves nothing")
            elif report.failed and not explained:
                found.append(f"pytest reports that it failed: {str(report.longrepr).strip()[:300]}")
        if not any(report.when == "call" for report in self.reports) and not found and not explained:
            found.append("the gate did not run to its end (interrupted, or its process died)")
        return found


@dataclass
class Collected:
    """Everything the controller heard. `narrowed` names the options that leave tests out, "" without any."""

    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    deselected: set[str] = field(default_factory=set)
    other_phase: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    uncollected: dict[str, str] = field(default_factory=dict)
    usage_problem: str = ""
    interrupted: str = ""
    narrowed: str = ""

    def hear(self, report: pytest.TestReport) -> None:
        said = records(report)
        head = next((r["gate"] for r in said if "gate" in r), None)
        if head is None:
            if report.failed:
                self.failures[report.nodeid] = f"the test {report.nodeid} failed"
            return
        attempts = self.attempts.setdefault(head["name"], [])
        worker = _worker(report)
        # Under --dist=each the reports of several workers arrive interleaved.
        current = next((a for a in reversed(attempts) if a.worker == worker), None)
        if report.when == "setup" or current is None:
            current = Attempt(worker)
            attempts.append(current)
        current.reports.append(report)

    def other_failures(self) -> tuple[str, ...]:
        """What failed and is no gate. A gate whose process died has a report without records: it is missing."""
        gates = set(self.known.values())
        return tuple(sentence for place, sentence in self.failures.items() if place not in gates)

    def outcomes(self) -> dict[str, GateOutcome]:
        """The worst attempt of each gate: a rerun that passes does not undo a failure."""
        worst_of = {}
        for name, attempts in self.attempts.items():
            worst_of[name] = max((self._own(name, a) for a in attempts), key=lambda outcome: outcome.verdict)
        return worst_of

    def _own(self, name: str, attempt: Attempt) -> GateOutcome:
        """Any test may write properties, also such as a gate's; only what was collected as the gate speaks for it."""
        outcome, place = attempt.outcome(name), self.known.get(name)
        # xdist adds a test's group to its id.
        if place is not None and (outcome.place == place or outcome.place.startswith(f"{place}@")):
            return outcome
        trouble = f"{outcome.place} reports in the name of this gate, which it is not"
        return replace(outcome, verdict=max(outcome.verdict, Verdict.ERROR), judgements=(), trouble=trouble)

    def failed(self) -> bool:
        """Whether any test is known to have failed, be it a gate or not."""
        gates = (report for attempts in self.attempts.values() for one in attempts for report in one.reports)
        return bool(self.failures) or any(report.failed for report in gates)

    def why_hidden(self, name: str) -> str:
        if name in self.deselected:
            return f"deselected by {self.narrowed or 'a plugin'}, so it was not judged"
        if name in self.other_phase:
            return f"it is a gate of the phase {self.other_phase[name]!r}"
        if name in self.known:
            return "collected, but no report of it arrived (interrupted, or its process died)"
        if "--lf" in self.narrowed:
            return "not collected: --lf leaves out the files in which nothing failed last time"
        near = get_close_matches(name, {*shipped.gate_files(), *self.known} - {name}, 1, 0.8)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"not collected: no test with this gate's name was found{hint}"


def _judgement(data: Mapping[str, Any]) -> Judgement:
    finding = data["finding"]
    return Judgement(
        from_plain(data["evidence"]),
        Finding(Verdict[finding["verdict"]], finding["sentence"], finding["limit"]),
    )


def _at(report: pytest.TestReport) -> str:
    """File and line of a user's gate; a shipped one has no file in the user's repository."""
    file, line, _ = report.location
    return "" if report.nodeid.startswith("pytest_mlgates/gates/") else f"{file}:{(line or 0) + 1}"


def _worker(report: pytest.TestReport) -> str:
    node = getattr(report, "node", None)  # set by xdist on the controller
    return str(node.gateway.id) if node is not None else ""


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "no reason given"

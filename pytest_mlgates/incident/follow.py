"""What a finished run means for the incidents: which it opens, adds to, and closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.incident.event import Event, Kind, Source, stamped
from pytest_mlgates.incident.fold import Incident, State
from pytest_mlgates.incident.severity import Severity

_ACTION_FAILED = 11
#: Lines that runs add to one incident; a watcher that looks every 30 seconds would fill the disk.
_MOST = 200
_LONGEST = 2000
_RESTORED = "the former version serves, proven by its answers"


@dataclass(frozen=True, slots=True)
class Happened:
    """A finished run in the words of its evidence. `failed` maps each failing gate to its sentence; `done` says that
    the action was carried out and read back, `proven` that answers were asked for afterwards too; `exit` is the
    process's code; `began` is since when the worst finding has been true, where a gate knows; `asked` is the severity
    that the live phase's tier asks for; `judged` is when the gates had spoken, before anything was done, and `well`
    when the look before this one found everything well (ISO times, "" where not known)."""

    model: str
    phase: str
    action: str
    verdict: str
    exit: int
    sentence: str
    champion: str = ""
    challenger: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()
    done: bool = False
    proven: bool = False
    said: str = ""
    evidence: str = ""
    began: str = ""
    asked: str = ""
    judged: str = ""
    well: str = ""


def happened(
    document: Mapping[str, Any], exit_code: int, said: Sequence[str], evidence: str = "", well: str = ""
) -> Happened:
    """`document` is the plain data of evidence.json, `said` the lines about what was done."""
    decision, gates = document["decision"], document["gates"]
    action = document.get("action") or {}
    done = bool(action.get("done"))
    return Happened(
        model=str(document["settings"]["model"]),
        phase=str(document["phase"]),
        action=str(decision["action"]),
        verdict=str(decision["verdict"]),
        exit=exit_code,
        sentence=str(next(iter(decision["reasons"]), "no reason was given"))[:_LONGEST],
        champion=_number(document.get("champion")),
        challenger=_number(document.get("challenger")),
        failed={str(gate["name"]): str(gate["sentence"]) for gate in gates if gate["verdict"] == "FAIL"},
        passed=frozenset(str(gate["name"]) for gate in gates if gate["verdict"] == "PASS"),
        done=done,
        proven=done and bool(document["settings"].get("cluster")),
        said="; ".join(line for line in said if not line.startswith("evidence: "))[:_LONGEST],
        evidence=evidence,
        began=_began(gates),
        asked=_asked(decision["reasons"]),
        judged=_judged(document),
        well=well,
    )


def follow(run: Happened, known: Mapping[int, Incident], *, time: str, actor: str) -> list[Event]:
    """The lines to add; none for a run that changes nothing. A key that is open already is never opened again."""
    key, severity, source = _trouble(run)
    if key:
        mine = next((i for i in known.values() if i.key == key and i.state is not State.CLOSED), None)
        if mine is None:
            return _opened(run, max(known, default=0) + 1, key, severity, source, time, actor)
        return _added(run, mine, severity, time, actor)
    if run.verdict != "PASS" or run.exit != 0:
        return []
    return [
        Event(number, Kind.CLOSED, time, actor, _green(run, incident), evidence=run.evidence)
        for number, incident in known.items()
        if incident.model == run.model and incident.state is not State.CLOSED and _over(run, incident)
    ]


def by_hand(
    known: Mapping[int, Incident], model: str, left: str, text: str, *, proven: bool, time: str, actor: str
) -> list[Event]:
    """The lines that a person's own rollback from version `left` adds to the open incidents about it."""
    mine = [i for i in known.values() if (i.model, i.version) == (model, left) and i.state is not State.CLOSED]
    return [
        event
        for incident in mine
        for event in (
            Event(incident.number, Kind.ACTION, time, actor, text[:_LONGEST]),
            *([Event(incident.number, Kind.RESTORED, time, actor, _RESTORED)] if proven else []),
        )
    ]


def _trouble(run: Happened) -> tuple[str, Severity, Source]:
    """(key, severity, source); the key is "" when nothing is wrong enough for an incident."""
    where = f"{run.model} v{run.champion}" if run.champion else run.model
    if run.phase == "live" and run.verdict == "FAIL":
        return f"live: {where}", live_severity(run), Source.LIVE
    if run.exit == _ACTION_FAILED:
        severity = Severity.SEV3 if run.phase == "drill" else Severity.SEV1
        return f"action: {run.phase} of {where}", severity, Source.ACTION
    if run.phase == "drill" and run.verdict == "FAIL":
        return f"drill: {run.model}", Severity.SEV3, Source.DRILL
    return "", Severity.SEV4, Source.LIVE


def live_severity(run: Happened) -> Severity:
    """What was to be rolled back and still serves is the worst there is; of the rest the tier says how bad it is."""
    if run.action == "ROLLBACK" or run.exit == _ACTION_FAILED:
        return Severity.SEV2 if run.done and run.exit != _ACTION_FAILED else Severity.SEV1
    return Severity(run.asked) if run.asked in list(Severity) else Severity.SEV2


def _opened(
    run: Happened, number: int, key: str, severity: Severity, source: Source, time: str, actor: str
) -> list[Event]:
    failed = run.said if run.exit == _ACTION_FAILED and run.said else run.sentence
    title = f"{run.phase}: {failed}"[:_LONGEST]
    first = Event(
        number,
        Kind.OPENED,
        run.judged or time,
        actor,
        title,
        model=run.model,
        severity=str(severity),
        source=str(source),
        key=key,
        version=run.champion,
        gates=tuple(run.failed),
        began=run.began,
        evidence=run.evidence,
    )
    before = [_well(run, number, actor)] if run.well and source is Source.LIVE else []
    return [first, *before, *_findings(run, number, run.failed, time, actor), *_acted(run, number, time, actor)]


def _well(run: Happened, number: int, actor: str) -> Event:
    return Event(number, Kind.NOTE, run.well, actor, "the look before this one found everything well")


def _added(run: Happened, incident: Incident, severity: Severity, time: str, actor: str) -> list[Event]:
    if len(incident.events) >= _MOST:
        return []
    new = {gate: sentence for gate, sentence in run.failed.items() if gate not in incident.gates}
    told = {event.text for event in incident.events if event.kind is Kind.ACTION}
    acted = [event for event in _acted(run, incident.number, time, actor) if event.text not in told]
    worse = Severity(severity) < incident.severity and not acted and not new
    more = [Event(incident.number, Kind.FINDING, time, actor, run.sentence, severity=str(severity))] if worse else []
    return [*_findings(run, incident.number, new, time, actor, severity), *acted, *more]


def _findings(
    run: Happened, number: int, failed: Mapping[str, str], time: str, actor: str, severity: str = ""
) -> list[Event]:
    when, told = run.judged or time, str(severity)
    return [
        Event(number, Kind.FINDING, when, actor, sentence, gates=(gate,), severity=told, evidence=run.evidence)
        for gate, sentence in failed.items()
    ]


def _acted(run: Happened, number: int, time: str, actor: str) -> list[Event]:
    if not run.done and run.exit != _ACTION_FAILED:
        return []
    severity = str(Severity.SEV1) if run.exit == _ACTION_FAILED and run.phase != "drill" else ""
    made = [Event(number, Kind.ACTION, time, actor, run.said or run.sentence, severity=severity)]
    if run.done and run.proven and run.exit != _ACTION_FAILED:
        made.append(Event(number, Kind.RESTORED, time, actor, _RESTORED))
    return made


def _over(run: Happened, incident: Incident) -> bool:
    """Every gate that failed has passed now, in the phase that found it."""
    if incident.source == Source.DRILL:
        return run.phase == "drill" and set(incident.gates) <= run.passed
    if incident.source == Source.ACTION:
        return incident.key.startswith(f"action: {run.phase} of ") and set(incident.gates) <= run.passed
    return run.phase == "live" and set(incident.gates) <= run.passed


def _green(run: Happened, incident: Incident) -> str:
    gates = ", ".join(incident.gates)
    now = f" with v{run.champion} in service" if run.champion else ""
    return f"green again{now}: {gates or f'all gates of phase {run.phase}'} passed"


def _number(pinned: Any) -> str:
    return str(pinned["version"]["number"]) if isinstance(pinned, Mapping) else ""


def _judged(document: Mapping[str, Any]) -> str:
    """An action may take minutes: what was found was found before it."""
    at = document.get("measured_times", {}).get("judged_at")
    return stamped(float(at)) if isinstance(at, (int, float)) else ""


def _asked(reasons: Sequence[str]) -> str:
    """The severity in "told: SEV2, the pager, ...", or ""."""
    told = next((reason for reason in reversed(reasons) if reason.startswith("told: ")), "")
    return told.removeprefix("told: ").partition(",")[0]


def _began(gates: Sequence[Mapping[str, Any]]) -> str:
    """The earliest `began` (ISO) in the details of a failing judgement."""
    told = [
        judgement["evidence"]["details"].get("began")
        for gate in gates
        if gate["verdict"] == "FAIL"
        for judgement in gate["judgements"]
        if judgement["verdict"] == "FAIL"
    ]
    return min((time for time in told if isinstance(time, str)), default="")

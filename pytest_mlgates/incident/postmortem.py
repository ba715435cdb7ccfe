"""A post-mortem's first draft: what is known is filled in, what only people know is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mlgates.incident.fold import Incident, State
from pytest_mlgates.incident.severity import RESPOND_MINUTES, Severity
from pytest_mlgates.incident.timeline import Moment
from pytest_mlgates.incident.times import times
from pytest_mlgates.markdown import bullets, paragraph, table, text

_TO_WRITE = "_To be written._"


def draft(incident: Incident, moments: Sequence[Moment], runbooks: Mapping[str, str], *, missing: str = "") -> str:
    """Markdown. `runbooks` maps a gate to where its runbook is; `missing` says which part of the record could not be
    read, and why."""
    took = times(incident)
    minutes = RESPOND_MINUTES.get(Severity(incident.severity)) if incident.severity in list(Severity) else None
    allowed = f" (allowed: {minutes} min)" if minutes else ""
    figures = [
        ("began", incident.began or "unknown: `mlgates incident note --began TIME` records it"),
        ("opened", incident.opened),
        (
            "acknowledged",
            f"{incident.acknowledged} by {incident.acknowledged_by}" if incident.acknowledged else "never",
        ),
        ("restored", incident.restored or "not yet"),
        ("closed", incident.closed or "not yet"),
        ("time to detect", duration(took.detect)),
        (
            "time to acknowledge",
            (duration(took.acknowledge) if incident.acknowledged else "nobody took it on") + allowed,
        ),
        ("time to restore", duration(took.restore) if incident.restored else "not yet"),
        ("from begin to restored", duration(took.outage) if incident.restored else "not yet"),
    ]
    unfinished = "" if incident.state is State.CLOSED else ["", f"**This incident is still {incident.state}.**"]
    lines = [
        f"# Post-mortem of incident {incident.number}: {text(incident.model)}",
        "",
        f"{incident.severity or 'no severity'}, opened by: {text(incident.source) or 'a person'}. "
        "Draft made from the record; it blames nobody.",
        *unfinished,
        "",
        "## Summary",
        "",
        paragraph(incident.title),
        "",
        "## Impact",
        "",
        f"Version in service when it was opened: {f'v{text(incident.version)}' if incident.version else 'not known'}. "
        "Who was served what, and how many:",
        "",
        _TO_WRITE,
        "",
        "## Figures",
        "",
        *table(("what", "when or how long"), figures),
        "",
        "## Timeline",
        "",
        *table(("time", "what", "by", "from"), [(m.time, m.what, m.actor, m.where) for m in moments]),
        *(["", paragraph(missing)] if missing else []),
        "",
        "## Detection",
        "",
        *_detection(incident, runbooks),
        "",
        "## Root cause",
        "",
        _TO_WRITE,
        "",
        "Model, data, code, configuration or infrastructure? What made it possible, what made it visible, why did the "
        "gates before promotion let it through?",
        "",
        "## Actions",
        "",
        *table(("action", "owner", "until"), [("A gate or golden rows that would have stopped this", "", "")]),
    ]
    return "\n".join(lines) + "\n"


def duration(took: float | None) -> str:
    """Seconds in words a person reads at a glance; "unknown" for None."""
    if took is None:
        return "unknown"
    if took < 120:
        return f"{took:.1f} s" if took < 10 else f"{took:.0f} s"
    minutes, left = divmod(round(took), 60)
    return f"{minutes} min {left} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _detection(incident: Incident, runbooks: Mapping[str, str]) -> list[str]:
    if not incident.gates:
        return ["No gate: the action itself failed or could not be verified."]
    return bullets(f"{gate}: runbook {runbooks.get(gate, 'none, it is a gate of your own')}" for gate in incident.gates)

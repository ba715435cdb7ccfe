"""What the next person on call must know, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_mlgates.incident.event import seconds
from pytest_mlgates.incident.fold import Incident, State
from pytest_mlgates.incident.timeline import Moment
from pytest_mlgates.incident.times import overdue
from pytest_mlgates.markdown import bullets, paragraph, text


def handover(
    model: str,
    known: Iterable[Incident],
    ledger: Sequence[Moment],
    waived: Mapping[str, str],
    *,
    now: float,
    hours: float,
    missing: str = "",
) -> str:
    """Markdown: open incidents, those closed and what the ledger did in the last `hours`, waivers in force."""
    since = now - 3600 * hours
    mine = [incident for incident in known if incident.model == model]
    still = [incident for incident in mine if incident.state is not State.CLOSED]
    over = [i for i in mine if i.state is State.CLOSED and seconds(i.closed) >= since]
    recent = [moment for moment in ledger if seconds(moment.time) >= since]
    lines = [f"# Hand-over: {text(model)}", "", f"Of the last {hours:g} hours.", "", "## Open incidents", ""]
    lines += bullets(_line(incident, now) for incident in still) or ["None."]
    lines += ["", "## Closed lately", "", *(bullets(_line(incident, now) for incident in over) or ["None."])]
    lines += ["", "## Promotions, rollbacks, drills", ""]
    lines += bullets(f"{m.time} {m.what} ({m.actor}, {m.where})" for m in recent) or ["None."]
    lines += ["", paragraph(missing)] if missing else []
    lines += ["", "## Waivers in force", ""]
    lines += bullets(f"{gate}: {reason}" for gate, reason in waived.items()) or ["None."]
    return "\n".join(lines) + "\n"


def _line(incident: Incident, now: float) -> str:
    late = ", nobody has taken it on in time" if overdue(incident, now) else ""
    by = f" by {incident.acknowledged_by}" if incident.acknowledged_by and not incident.closed else ""
    return (
        f"{incident.number} {incident.severity} {incident.state}{by}{late}: {incident.title} (since {incident.opened})"
    )

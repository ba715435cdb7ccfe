"""How long it took: to notice, to take on, to restore."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.incident.event import seconds
from pytest_mlgates.incident.fold import Incident
from pytest_mlgates.incident.severity import RESPOND_MINUTES, Severity


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds; None for what has not happened, is not known, or contradicts itself (two machines' clocks, say).

    `detect` is from when the trouble began until it was opened, `acknowledge` and `restore` are from when it was
    opened; `outage` is from when it began until it was restored.
    """

    detect: float | None
    acknowledge: float | None
    restore: float | None
    outage: float | None


def times(incident: Incident) -> Times:
    return Times(
        _between(incident.began, incident.opened),
        _between(incident.opened, incident.acknowledged),
        _between(incident.opened, incident.restored),
        _between(incident.began, incident.restored),
    )


def overdue(incident: Incident, now: float) -> bool:
    """Nobody has taken it on in the time its severity allows; `now` in seconds since 1970."""
    if incident.acknowledged or incident.closed or incident.severity not in list(Severity):
        return False
    return now - seconds(incident.opened) > 60 * RESPOND_MINUTES[Severity(incident.severity)]


def _between(start: str, end: str) -> float | None:
    if not start or not end:
        return None
    took = seconds(end) - seconds(start)
    return took if took >= 0 else None

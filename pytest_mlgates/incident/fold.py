"""Events in, incidents out: in the order of the file, never of the clocks."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pytest_mlgates.incident.event import Event, Kind


class State(enum.StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. Times are ISO, "" for what has not happened or is not known."""

    number: int
    model: str
    key: str
    source: str
    severity: str
    version: str
    title: str
    gates: tuple[str, ...]
    began: str
    opened: str
    acknowledged: str = ""
    acknowledged_by: str = ""
    restored: str = ""
    closed: str = ""
    events: tuple[Event, ...] = ()

    @property
    def state(self) -> State:
        if self.closed:
            return State.CLOSED
        return State.ACKNOWLEDGED if self.acknowledged else State.OPEN


def incidents(events: Iterable[Event]) -> dict[int, Incident]:
    """By number, the first one first. Raises ValueError for events that contradict each other."""
    found: dict[int, Incident] = {}
    for event in events:
        known = found.get(event.incident)
        if event.kind is Kind.OPENED:
            if known is not None:
                raise ValueError(f"incident {event.incident} is opened twice")
            found[event.incident] = _opened(event)
        elif known is None:
            raise ValueError(f"incident {event.incident} has a line of kind {event.kind} before it is opened")
        else:
            found[event.incident] = _told(replace(known, events=(*known.events, event)), event)
    return found


def _opened(event: Event) -> Incident:
    return Incident(
        event.incident,
        event.model,
        event.key,
        event.source,
        event.severity,
        event.version,
        event.text,
        event.gates,
        event.began,
        event.time,
        events=(event,),
    )


def _told(incident: Incident, event: Event) -> Incident:
    if event.severity:  # what grows worse says so; what was bad is not made light of later
        incident = replace(incident, severity=min(incident.severity, event.severity) or event.severity)
    if event.gates:
        incident = replace(incident, gates=tuple(dict.fromkeys((*incident.gates, *event.gates))))
    if event.began:
        incident = replace(incident, began=event.began)
    if event.kind is Kind.ACKNOWLEDGED and not incident.acknowledged:
        return replace(incident, acknowledged=event.time, acknowledged_by=event.actor)
    if event.kind is Kind.RESTORED and not incident.restored:
        return replace(incident, restored=event.time)
    if event.kind is Kind.CLOSED and not incident.closed:
        return replace(incident, closed=event.time, restored=incident.restored or event.time)
    return incident

"""Incidents: what happened when, how bad it was, how long people needed. Pure; it knows no file and no registry."""

from pytest_mlgates.incident.event import SCHEMA, Event, Kind, Source, line, read, seconds, stamped
from pytest_mlgates.incident.fold import Incident, State, incidents
from pytest_mlgates.incident.follow import Happened, by_hand, follow, happened, live_severity
from pytest_mlgates.incident.handover import handover
from pytest_mlgates.incident.postmortem import draft
from pytest_mlgates.incident.severity import RESPOND_MINUTES, Severity
from pytest_mlgates.incident.timeline import Moment, timeline
from pytest_mlgates.incident.times import Times, times

__all__ = [
    "RESPOND_MINUTES",
    "SCHEMA",
    "Event",
    "Happened",
    "Incident",
    "Kind",
    "Moment",
    "Severity",
    "Source",
    "State",
    "Times",
    "by_hand",
    "draft",
    "follow",
    "handover",
    "happened",
    "incidents",
    "line",
    "live_severity",
    "read",
    "seconds",
    "stamped",
    "timeline",
    "times",
]

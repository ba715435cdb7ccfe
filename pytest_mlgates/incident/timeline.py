"""What happened in an incident, from its own lines and from the ledger, in order of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mlgates.incident.event import Kind, seconds
from pytest_mlgates.incident.fold import Incident


@dataclass(frozen=True, slots=True)
class Moment:
    """`where` says who knows of it: "incident", or "ledger entry 7"; `champion` is the version it made champion."""

    time: str
    what: str
    actor: str
    where: str = "incident"
    champion: str = ""


def timeline(incident: Incident, ledger: Iterable[Moment] = ()) -> tuple[Moment, ...]:
    """Of the ledger: everything until its end, from when the version in trouble became champion."""
    own = [
        Moment(e.time, f"{e.kind}: {e.text}" if e.kind is not Kind.NOTE else e.text, e.actor) for e in incident.events
    ]
    if incident.began:
        own.append(Moment(incident.began, "it began", "", "as far as is known"))
    start = seconds(incident.began or incident.opened)
    end = seconds(incident.closed) if incident.closed else None
    moments = sorted(ledger, key=lambda moment: seconds(moment.time))
    earlier = [moment for moment in moments if seconds(moment.time) < start]
    made = [number for number, m in enumerate(earlier) if m.champion and m.champion == incident.version]
    before = earlier[made[-1] if made else -1 :]
    during = [m for m in moments if seconds(m.time) >= start and (end is None or seconds(m.time) <= end)]
    return tuple(sorted([*own, *before, *during], key=lambda moment: seconds(moment.time)))

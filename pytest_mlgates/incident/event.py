"""One line of the incident file: something that happened, and when."""

from __future__ import annotations

import datetime
import enum
import json
from dataclasses import asdict, dataclass, fields

#: What this package writes. Older lines stay readable; newer ones are refused.
SCHEMA = 1
_ALWAYS = ("incident", "kind", "time", "actor", "text", "schema")


class Kind(enum.StrEnum):
    """OPENED begins an incident, CLOSED ends it; the others add to it."""

    OPENED = "opened"
    FINDING = "finding"
    ACTION = "action"
    NOTE = "note"
    ALERT = "alert"
    ACKNOWLEDGED = "acknowledged"
    RESTORED = "restored"
    CLOSED = "closed"


class Source(enum.StrEnum):
    """What opened it."""

    LIVE = "live"
    DRILL = "drill"
    ACTION = "action"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is when it happened, ISO 8601 with a zone. `began` (of OPENED and NOTE) is when the trouble itself began,
    where somebody knows. `gates` are those it is about; `key` tells two openings of the same trouble apart from two
    troubles. `version` is the champion it is about."""

    incident: int
    kind: Kind
    time: str
    actor: str
    text: str
    model: str = ""
    severity: str = ""
    source: str = ""
    key: str = ""
    version: str = ""
    gates: tuple[str, ...] = ()
    began: str = ""
    evidence: str = ""
    schema: int = SCHEMA


def line(event: Event) -> bytes:
    """The event as it stands in the file, with its line end."""
    told = {key: value for key, value in asdict(event).items() if key in _ALWAYS or value not in ("", ())}
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"


def read(text: bytes) -> Event:
    """The inverse of `line`. Raises ValueError with what is wrong."""
    try:
        told = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("is not JSON") from None
    if not isinstance(told, dict):
        raise ValueError("is no record")
    schema = told.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise ValueError("names no schema")
    if schema > SCHEMA:
        raise ValueError(f"was written by a newer pytest-mlgates (schema {schema}): upgrade")
    known = {field.name for field in fields(Event)}
    unknown = sorted(set(told) - known)
    if unknown:
        raise ValueError(f"has the unknown key {unknown[0]!r}")
    try:
        gates = tuple(str(name) for name in told.pop("gates", ()))
        event = Event(**{**told, "kind": Kind(told["kind"]), "gates": gates})
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"is incomplete or wrong ({problem})") from None
    if not isinstance(event.incident, int) or event.incident < 1:
        raise ValueError("names no incident")
    seconds(event.time)
    return event


def seconds(time: str) -> float:
    """Seconds since 1970 of an ISO time with a zone. Raises ValueError for anything else."""
    try:
        moment = datetime.datetime.fromisoformat(time)
    except (TypeError, ValueError):
        raise ValueError(f"{time!r} is no time such as 2027-01-31T14:05:00+00:00") from None
    if moment.tzinfo is None:
        raise ValueError(f"{time!r} has no zone: write 2027-01-31T14:05:00+00:00, or Z for UTC")
    return moment.timestamp()


def stamped(moment: float) -> str:
    """Seconds since 1970 as the ISO time that `seconds` reads, in UTC."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")

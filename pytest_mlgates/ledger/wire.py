"""Entries as the flat text facts a registry can store, with a digest that shows any later edit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger.entry import MOVES, SCHEMA, Entry, Kind

PREFIX = "mlgates."
#: Written when the reference was seen to mean the entry's version, by the one who moved it.
PROJECTED = PREFIX + "projected"
#: Written when a later entry overtook the move: the version is not known to have served.
SUPERSEDED = PREFIX + "superseded"
DIGEST = PREFIX + "digest"
_NOT_SEALED = {DIGEST, PROJECTED, SUPERSEDED}
_TEXTS = ("actor", "to", "reason", "run", "evidence", "golden", "to_digest", "operation", "time")
#: Registries refuse longer values; what is cut off stands in the evidence.
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in the log under one number. `entry` is None where `problem` says why it cannot be read."""

    number: int
    entry: Entry | None
    problem: str = ""
    newer: bool = False
    projected: str = ""
    superseded: str = ""

    @property
    def open(self) -> bool:
        """True while its writer may still be moving the reference, or died doing so."""
        moves = self.entry is not None and self.entry.kind in MOVES
        return moves and not self.projected and not self.superseded


def facts(entry: Entry) -> dict[str, str]:
    """The facts to store at creation; empty ones are left out."""
    told = {name: _storable(getattr(entry, name)) for name in _TEXTS}
    told |= {"schema": str(entry.schema), "kind": str(entry.kind), "from": entry.from_, "after": str(entry.after)}
    told["waivers"] = json.dumps(entry.waivers) if entry.waivers else ""
    told["accepts"] = json.dumps(entry.accepts) if entry.accepts else ""
    sealed = {PREFIX + name: value for name, value in told.items() if value}
    return {**sealed, DIGEST: digest(sealed)}


def _storable(text: str) -> str:
    """What every store takes: PostgreSQL refuses NUL, and nothing can encode half a surrogate pair."""
    return text.replace("\0", "")[:_LONGEST].encode("utf-8", "replace").decode()


def digest(told: Mapping[str, str]) -> str:
    """SHA-256 over every fact that is ours and given at creation. Others may tag a version as they like."""
    sealed = {key: value for key, value in told.items() if key.startswith(PREFIX) and key not in _NOT_SEALED}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def record(number: int, told: Mapping[str, str]) -> Record:
    """Read what is stored under `number`. Never raises: what cannot be read says why."""
    read = Record(number, None, projected=told.get(PROJECTED, ""), superseded=told.get(SUPERSEDED, ""))
    schema = told.get(PREFIX + "schema", "")
    if schema.isdecimal() and int(schema) > SCHEMA:
        problem = f"was written by a newer pytest-mlgates (schema {schema}, this one reads up to {SCHEMA}): upgrade"
        return replace(read, problem=problem, newer=True)
    if DIGEST not in told:
        return replace(read, problem="is no ledger entry: it has no digest")
    if told[DIGEST] != digest(told):
        return replace(read, problem="was altered: its facts no longer match its digest")
    try:
        return replace(read, entry=_entry(told))
    except (KeyError, ValueError, TypeError, UsageError) as problem:
        return replace(read, problem=f"cannot be read ({type(problem).__name__}: {problem})")


def _entry(told: Mapping[str, str]) -> Entry:
    texts = {name: told.get(PREFIX + name, "") for name in _TEXTS}
    return Entry(
        kind=Kind(told[PREFIX + "kind"]),
        from_=told.get(PREFIX + "from", ""),
        after=int(told[PREFIX + "after"]),
        waivers=tuple(json.loads(told.get(PREFIX + "waivers", "[]"))),
        accepts=tuple(json.loads(told.get(PREFIX + "accepts", "[]"))),
        schema=int(told[PREFIX + "schema"]),
        **texts,
    )

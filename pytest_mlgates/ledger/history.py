"""Views of the log: who was champion when, why, on which evidence; what was waived; how often a set was used."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.ledger import Entry, Fate, Kind, Ruling, State, digest_on_record
from pytest_mlgates.live.guard import Past

_JUDGED = frozenset({Kind.PROMOTE, Kind.HOLD, Kind.JUDGED})
_MAKES = frozenset({Kind.GENESIS, Kind.PROMOTE, Kind.OVERRIDE})


@dataclass(frozen=True, slots=True)
class Reign:
    """One version's time as champion. `until` is "" for the present one; `served` says whether it was seen to."""

    version: str
    since: str
    until: str
    entry: int
    kind: str
    actor: str
    reason: str
    run: str
    evidence: str
    golden: str
    waivers: tuple[str, ...]
    served: bool


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """One waiver that a promotion leaned on."""

    gate: str
    version: str
    entry: int
    time: str
    actor: str


def reigns(state: State) -> tuple[Reign, ...]:
    """Every champion in order, the first one first."""
    counted = state.counted
    ends = [*(ruling.entry.time for ruling in counted[1:]), ""]
    return tuple(_reign(ruling, until) for ruling, until in zip(counted, ends, strict=True) if ruling.entry.to)


def overridden(state: State) -> Entry | None:
    """The override that the present champion rests on, if it does: to be shown until a normal promotion.

    Coming back to an overridden version by rollback or by hand makes it no more judged than it was.
    """
    made = (r.entry for r in reversed(state.counted) if r.entry.to == state.champion and r.entry.kind in _MAKES)
    entry = next(made, None)
    return entry if entry is not None and entry.kind is Kind.OVERRIDE else None


def waiver_uses(state: State) -> tuple[WaiverUse, ...]:
    """Each waiver that counted promotions leaned on, oldest first."""
    return tuple(
        WaiverUse(gate, entry.to, ruling.number, entry.time, entry.actor)
        for ruling in state.counted
        for entry in (ruling.entry,)
        for gate in entry.waivers
    )


def judged_on(state: State, golden: str) -> tuple[str, ...]:
    """The distinct challengers judged on the golden set with this md5: what its budget is spent on.

    Told apart by the digest of their files, so that registering the same model twice costs once.
    """
    judged = (e for e in _readable(state) if e.kind in _JUDGED and e.golden == golden and e.to)
    return tuple({e.to_digest or f"v{e.to}": f"v{e.to}" for e in judged}.values())


def first_sight(state: State, version: str) -> tuple[str, int]:
    """(digest, number) of the first readable entry that says which files `version` had, or ("", 0)."""
    for ruling in state.rulings:
        if ruling.fate is not Fate.BROKEN and ruling.entry.to == version and ruling.entry.to_digest:
            return ruling.entry.to_digest, ruling.number
    return "", 0


def first_champion(state: State, golden: str) -> tuple[str, str]:
    """(version, digest on record or "") that the first challenger on this golden set was judged against; the version
    is "" where nothing was judged on it yet. A first promotion makes its challenger the first champion.
    """
    entries = _readable(state)
    for entry in entries:
        if entry.kind in _JUDGED and entry.golden == golden:
            number = entry.from_ or (entry.to if entry.kind is Kind.PROMOTE else "")
            if number:
                return number, next((e.to_digest for e in entries if e.to == number and e.to_digest), "")
    return "", ""


def last_drill(state: State) -> Entry | None:
    """The latest drill in the log, whatever came of it (its reason says)."""
    return next((entry for entry in reversed(_readable(state)) if entry.kind is Kind.DRILL), None)


def past(state: State) -> Past:
    """What matters of a champion that is watched: since when it serves, and what was rolled back, and when."""
    counted = state.counted
    if not counted:
        return Past()
    last, back = counted[-1], [ruling for ruling in counted if ruling.entry.kind is Kind.ROLLBACK]
    files = digest_on_record(state, state.champion)

    def the_same(number: str) -> bool:
        return number == state.champion or bool(files and files == digest_on_record(state, number))

    again = [ruling.number for ruling in back if the_same(ruling.entry.from_)]
    # When a champion that was there before the ledger came, nobody knows.
    since = None if last.entry.kind is Kind.GENESIS else _seconds(last.entry.time)
    return Past(
        since=since,
        kind=str(last.entry.kind),
        last_rollback=_seconds(back[-1].entry.time) if back else None,
        rolled_back_before=again[-1] if again else 0,
    )


def _seconds(time: str) -> float | None:
    """Seconds since 1970, None for what is no time."""
    try:
        return datetime.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None


def as_json(state: State) -> dict[str, Any]:
    """Everything `mlgates history --json` says; also entries that did not count, and why."""
    return {
        "champion": state.champion,
        "last": state.last,
        "problems": {str(number): text for number, text in sorted(state.problems.items())},
        "reigns": [asdict(reign) for reign in reigns(state)],
        "waivers": [asdict(use) for use in waiver_uses(state)],
        "entries": [_line(ruling) for ruling in state.rulings],
    }


def _line(ruling: Ruling) -> dict[str, Any]:
    record = ruling.record
    told = {} if record.entry is None else {**asdict(record.entry), "kind": str(record.entry.kind)}
    told["from"] = told.pop("from_", "")
    noted = {"projected": record.projected, "superseded": record.superseded}
    return {"number": ruling.number, "fate": str(ruling.fate), "why": ruling.why, **told, **noted}


def _reign(ruling: Ruling, until: str) -> Reign:
    entry = ruling.entry
    return Reign(
        version=entry.to,
        since=entry.time,
        until=until,
        entry=ruling.number,
        kind=str(entry.kind),
        actor=entry.actor,
        reason=entry.reason,
        run=entry.run,
        evidence=entry.evidence,
        golden=entry.golden,
        waivers=entry.waivers,
        served=entry.kind in (Kind.GENESIS, Kind.ADOPT) or bool(ruling.record.projected),
    )


def _readable(state: State) -> list[Entry]:
    """Entries that are what they say: a repeated call says nothing new, an altered one nothing at all."""
    rulings: Iterable[Ruling] = state.rulings
    return [ruling.entry for ruling in rulings if ruling.fate not in (Fate.BROKEN, Fate.REPEATED)]

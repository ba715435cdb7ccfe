"""One entry of the log: who did what to the champion, why, on which evidence."""

from __future__ import annotations

import datetime
import enum
import uuid
from dataclasses import dataclass, field

from pytest_mlgates.errors import UsageError

#: What this package writes. Older ones stay readable; on a newer one nothing acts.
SCHEMA = 1


class Kind(enum.StrEnum):
    """What an entry records. Only `CHANGES` take part in the champion's replay."""

    GENESIS = "genesis"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    OVERRIDE = "override"
    ADOPT = "adopt"
    HOLD = "hold"
    JUDGED = "judged"
    DRILL = "drill"
    REPAIR = "repair"


CHANGES = frozenset({Kind.GENESIS, Kind.PROMOTE, Kind.ROLLBACK, Kind.OVERRIDE, Kind.ADOPT})
#: Entries whose writer goes on to move the reference: open until they are noted as projected or superseded.
MOVES = frozenset({Kind.PROMOTE, Kind.ROLLBACK, Kind.OVERRIDE, Kind.REPAIR})
_NEED_REASON = frozenset({Kind.ROLLBACK, Kind.OVERRIDE, Kind.ADOPT, Kind.REPAIR})


@dataclass(frozen=True, slots=True)
class Entry:
    """`from_` and `to` are version numbers ("" for no champion); `after` is the number of the last entry that
    changed the champion when this one was judged (0 before the first). `run` and `evidence` are the run and the
    digest of the evidence, `to_digest` the digest of the files of `to`, `accepts` the numbers of missing or altered
    entries that the actor takes responsibility for.

    Raises UsageError for an entry that nobody could make sense of later.
    """

    kind: Kind
    actor: str
    from_: str = ""
    to: str = ""
    after: int = 0
    reason: str = ""
    run: str = ""
    evidence: str = ""
    golden: str = ""
    to_digest: str = ""
    waivers: tuple[str, ...] = ()
    accepts: tuple[int, ...] = ()
    operation: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: str = field(default_factory=lambda: now())
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise UsageError(f"ledger entry {self.kind}: {problem}")

    def _problem(self) -> str:
        if not self.actor.strip():
            return "no actor: name who does this"
        if self.kind in _NEED_REASON and not self.reason.strip():
            return "the reason is empty: say why, in words that still help in a year"
        if self.kind in CHANGES - {Kind.GENESIS} and not self.to:
            return "no version to make champion"
        if self.kind in {Kind.PROMOTE, Kind.ROLLBACK, Kind.OVERRIDE} and self.from_ == self.to:
            return f"v{self.to} is champion already"
        wrong = [value for value in (self.from_, self.to) if value and not (value.isascii() and value.isdecimal())]
        return f"{wrong[0]!r} is no version number" if wrong else ""


def now() -> str:
    """The time an entry carries: for people, never for ordering."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")

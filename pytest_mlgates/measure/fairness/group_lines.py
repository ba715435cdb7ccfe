"""One figure a group, as few lines that still name every group.

The groups that are proven share one line, which shows the one nearest to the limit. A group that fails has a line of
its own. Those that the rows cannot settle share a line that names each of them, with the rows it would need.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.wording import figure, interval

_SHOWN_NAMES = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """What is common to the lines of one grouping: its name (`family`), the limit the figures must reach (`least`) or
    keep below, each group's rows and rows `needed` (None: no number is enough), the champion's figures, and the
    declared groups that have no row at all. `against` ends the sentence on groups that cannot be told.
    """

    family: str
    limit: float
    least: bool
    rows: Mapping[str, int]
    needed: Mapping[str, int | None]
    champion: Mapping[str, float] = field(default_factory=dict)
    absent: Sequence[str] = ()
    against: str = ""

    def of(self, groups: Sequence[Evidence]) -> list[Evidence]:
        """Lines for `groups`, one evidence a group, whose `where` is the group's name."""
        proven = [one for one in groups if self._distance(one) is not None and self._nearest(one) >= 0]
        failed = [one for one in groups if self._distance(one) is not None and self._farthest(one) < 0]
        settled = {one.where for one in (*proven, *failed)}
        untold = [one for one in groups if one.where not in settled]
        lines = [self._together(proven)] if proven else []
        lines += [dataclasses.replace(one, where=self._named(one.where)) for one in failed]
        return lines + ([self._untold(untold)] if untold or self.absent else [])

    def _distance(self, one: Evidence) -> Interval | None:
        return None if one.cannot_say or one.value is None else one.interval

    def _nearest(self, one: Evidence) -> float:
        """How far the whole interval is inside the limit."""
        assert one.interval is not None
        return one.interval.low - self.limit if self.least else self.limit - one.interval.high

    def _farthest(self, one: Evidence) -> float:
        assert one.interval is not None
        return one.interval.high - self.limit if self.least else self.limit - one.interval.low

    def _named(self, group: str) -> str:
        beside = f" (champion {figure(self.champion[group])})" if group in self.champion else ""
        return f"{self.family}={group}{beside}"

    def _together(self, proven: Sequence[Evidence]) -> Evidence:
        nearest = min(proven, key=self._nearest)
        where = self._named(nearest.where)
        return dataclasses.replace(
            nearest, where=where if len(proven) == 1 else f"{len(proven)} groups proven, nearest {where}"
        )

    def _untold(self, untold: Sequence[Evidence]) -> Evidence:
        said = [self._said(one) for one in untold] + [f"{name} (no rows)" for name in self.absent]
        names = [*(one.where for one in untold), *self.absent]
        groups = "this group" if len(names) == 1 else f"these {len(names)} groups"
        why = f"{groups} cannot be told from {self.limit:g}{self.against}: {', '.join(said)}"
        flips = [
            f"about {rows:,} rows of {self.family}={one.where} (now {self.rows[one.where]:,})"
            for one in untold
            if (rows := self.needed.get(one.where))
        ]
        details = {"groups": {one.where: _plain(one) for one in untold}, "absent": list(self.absent)}
        details |= {"would_flip": ", ".join(flips)}
        if len(untold) == 1 and not self.absent:
            one = untold[0]
            details = {**one.details, **details}
            return dataclasses.replace(one, where=self._named(one.where), cannot_say=why, details=details)
        first = ", ".join(names[:_SHOWN_NAMES])
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        n = sum(self.rows[one.where] for one in untold)
        measure = untold[0].measure if untold else "disparate impact"
        return Evidence(measure, None, n, where=f"{self.family}: {first}{more}", cannot_say=why, details=details)

    def _said(self, one: Evidence) -> str:
        rows, needed = self.rows[one.where], self.needed.get(one.where)
        counted = f"{rows:,} row{'' if rows == 1 else 's'}"
        if one.cannot_say or one.value is None:
            return f"{one.where} ({counted}: {one.cannot_say or 'nothing was measured'})"
        needs = f"about {needed:,} needed" if needed else "no number of its own rows is enough"
        return f"{one.where} ({counted}, {figure(one.value)} {interval(one)}, {needs})"


def _plain(one: Evidence) -> dict[str, float | None]:
    ends = one.interval
    return {"value": one.value, "low": ends.low if ends else None, "high": ends.high if ends else None}

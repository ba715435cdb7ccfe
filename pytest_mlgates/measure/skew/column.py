"""One column of the live sample held against its baseline: counts over the same bins, and what follows from them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_mlgates.baseline.describe import codes, looked_up, tallied
from pytest_mlgates.baseline.document import Column, Numbers
from pytest_mlgates.engine import port

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Ints
    from pytest_mlgates.stats.drift import ChiSquare, Psi
    from pytest_mlgates.stats.histogram import Tally, Values
    from pytest_mlgates.stats.ks import Gap

#: Of a column of words this many are bins of their own, as in `psi`; the rest share one.
MOST_WORDS = 20
#: A value that fills this share of the sample is looked at: is it a default that somebody fills in?
SPIKE = 0.05
#: A share of the sample beyond the reference's grid at which it gets a grid of its own.
_MISFIT = 0.02


@dataclass(frozen=True, slots=True)
class Held:
    """Counts (B,) of baseline and sample over common bins, the last for nulls; `rows` present and null of each side.

    `ks` is exact with both files at hand; against a baseline file it is the largest gap at its percentiles, never
    more than a hundredth too small. `new` are present rows whose value the baseline has no entry for, with examples;
    `beyond` are rows outside the baseline's range; `spike` is the most frequent value where it fills a noticeable
    share: its rows in the sample, and at most how many in the baseline.
    """

    before: Sequence[int]
    now: Sequence[int]
    rows: int
    nulls: int
    ks: float | None = None
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    deciles: Sequence[float] = ()
    new: int = 0
    examples: Sequence[port.Word] = ()
    gone: Sequence[port.Word] = ()
    distinct: int | None = None
    beyond: int = 0
    spike: tuple[port.Word, int, int] | None = None
    labels: Sequence[str] = ()
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def present(self) -> int:
        return self.rows - self.nulls

    def psi(self) -> Psi:
        from pytest_mlgates.stats import drift

        return drift.psi(*self._held())

    def chi_square(self) -> ChiSquare:
        from pytest_mlgates.stats import drift

        return drift.chi_square(*self._held())

    def jensen_shannon(self) -> float:
        from pytest_mlgates.stats import drift

        return drift.jensen_shannon(*self._held())

    def _held(self) -> tuple[list[int], list[int]]:
        """Bins that any row lies in."""
        pairs = [(a, b) for a, b in zip(self.before, self.now, strict=True) if a + b]
        return [a for a, _ in pairs], [b for _, b in pairs]


@dataclass(frozen=True, slots=True)
class Window:
    """Both sides on one grid, the reference first, and the values of the reference's cells that matter."""

    gap: Gap
    known: Values

    @property
    def sample(self) -> Tally:
        return self.gap.b

    @property
    def fits(self) -> bool:
        """False where the sample lies so far off that the reference's cells tell nothing about it."""
        sample = self.sample
        outside = int(sample.counts[0] + sample.counts[-1])
        return outside <= (0 if sample.grid.single else _MISFIT * sample.present)


def numbers(base: Column, column: port.Column, window: Window | None = None) -> Held:
    """A column of amounts; with a `window` where the reference's own rows are at hand."""
    import numpy as np

    from pytest_mlgates.stats.histogram import cells_of_ranks, order_statistics, rows_below

    known = base.numbers
    assert known is not None
    window = window if window is not None and window.fits and window.gap.a.present else None
    tally = window.sample if window is not None else tallied(column)
    if tally.present == 0:
        counts = [0] * (len(known.deciles) + 1)
        return Held([*by_decile(known), base.nulls], [*counts, tally.nulls], tally.rows, tally.nulls)
    edges = np.array(known.edges)
    hiding = window.gap.hiding_places() if window is not None else np.empty(0, dtype=np.int64)
    crowded = np.flatnonzero(tally.counts > SPIKE * tally.present)
    marks = tally.grid.place(np.append(edges, _ends(known)))
    ranks = np.arange(1, 10) * tally.present // 10
    cells = np.unique(np.concatenate((marks, hiding, crowded, cells_of_ranks(tally, ranks))))
    found = looked_up(column, tally, cells)
    below = np.append(rows_below(tally, edges, found), tally.present)
    now = np.diff(below, prepend=0)
    more: dict[str, float] = {}
    if window is not None:
        distance: float | None = window.gap.exact(window.known, found)
        at_most = window.gap.at_most
        more = {"ks_at_most": at_most} if not len(hiding) and at_most > (distance or 0.0) else {}
    else:
        distance = _gap(np.array(known.counts), now)
    return Held(
        before=[*by_decile(known), base.nulls],
        now=[*_summed(known, now), tally.nulls],
        rows=tally.rows,
        nulls=tally.nulls,
        ks=distance,
        mean=tally.mean,
        sd=tally.sd,
        low=tally.low if tally.low <= tally.high else None,
        high=tally.high if tally.low <= tally.high else None,
        deciles=order_statistics(tally, ranks, found).tolist(),
        beyond=_beyond(known, tally, found),
        spike=_spike(known, tally, found),
        labels=[*_bins(known), "null"],
        more=more,
    )


def words(base: Column, column: port.Column, kind: port.Kind) -> Held:
    """A column of words or codes."""
    known = base.words
    assert known is not None
    table = dict(known.counts)
    seen = _codes(column) if kind == "integer" else column.words(keep=table)
    rows = seen.rows
    top = list(table)[:MOST_WORDS]
    in_table = sum(seen.counts.get(word, 0) for word in table)
    new = [word for word in seen.counts if word not in table]
    least_common = seen.present - sum(seen.counts.get(word, 0) for word in top)
    spike = next(iter(seen.counts.items()), None)
    return Held(
        before=[*(table[word] for word in top), base.present - sum(table[word] for word in top), base.nulls],
        now=[*(seen.counts.get(word, 0) for word in top), least_common, seen.nulls],
        rows=rows,
        nulls=seen.nulls,
        new=seen.present - in_table,
        examples=new[:3],
        gone=[word for word in top if not seen.counts.get(word)],
        distinct=seen.distinct,
        spike=(spike[0], spike[1], table.get(spike[0], known.others)) if spike else None,
        labels=[*map(str, top), "others", "null"],
    )


def _codes(column: port.Column) -> port.Words:
    import numpy as np

    tally = tallied(column)
    if tally.grid.single and np.count_nonzero(tally.counts) <= port.MOST_WORDS:
        return codes(tally)
    return column.words()


def by_decile(known: Numbers) -> list[int]:
    return _summed(known, known.counts)


def _summed(known: Numbers, counts: Sequence[int] | Ints) -> list[int]:
    """Rows between deciles from those between all edges."""
    import numpy as np

    starts = [0, *(known.edges.index(edge) + 1 for edge in known.deciles)]
    return [int(rows) for rows in np.add.reduceat(np.asarray(counts), starts)]


def _bins(known: Numbers) -> list[str]:
    ends = ["-inf", *(f"{edge:.6g}" for edge in known.deciles), "inf"]
    return [f"[{a}, {b})" for a, b in itertools.pairwise(ends)]


def _gap(before: Ints, now: Ints) -> float | None:
    import numpy as np

    if not before.sum() or not now.sum():
        return None
    return float(np.abs(np.cumsum(before) / before.sum() - np.cumsum(now) / now.sum()).max())


def _beyond(known: Numbers, tally: Tally, found: Values) -> int:
    """Present rows outside the baseline's range; infinite ones are."""
    import numpy as np

    from pytest_mlgates.stats.histogram import rows_below

    if not _ends(known):
        return 0
    below, upto = rows_below(tally, np.array(_ends(known)), found)
    return int(below + tally.present - upto)


def _ends(known: Numbers) -> list[float]:
    """Where the baseline's range begins, and the first value past it."""
    if known.low is None or known.high is None:
        return []
    return [known.low, math.nextafter(known.high, math.inf)]


def _spike(known: Numbers, tally: Tally, found: Values) -> tuple[port.Word, int, int] | None:
    import numpy as np

    if not len(found.counts):
        return None
    most = int(np.argmax(found.counts))
    value, rows = float(found.values[most]), int(found.counts[most])
    if rows <= SPIKE * tally.present:
        return None
    bin_ = int(np.searchsorted(np.array(known.edges), value, side="right"))
    return (int(value) if value == int(value) else value) if math.isfinite(value) else value, rows, known.counts[bin_]

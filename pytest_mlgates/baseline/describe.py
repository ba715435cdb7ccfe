"""One column as the baseline keeps it, from the counts that an engine gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_mlgates.baseline.document import Column, Numbers, Vector, Words
from pytest_mlgates.engine import port
from pytest_mlgates.engine.port import ColumnType

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Floats, Ints
    from pytest_mlgates.stats.histogram import Tally, Values

#: Numbers with more values than this are amounts and get bins; with fewer they are codes and get a table.
MOST_CODES = 30
#: Frequent values that are kept by name, and the rows below which a value may be somebody's.
MOST_KEPT, FEWEST_ROWS = 1_000, 5
#: A share of distinct values above which a column tells rows apart, and the rows that it takes to say so.
_UNIQUE, _FEW = 0.95, 20
#: Directions under which embeddings are looked at, and the seed they are drawn from.
DIRECTIONS, SEED = 16, 20_100_503
TELLS_ROWS_APART = "nearly every row has a value of its own"
MOVES_ON = "times move on by themselves"


@dataclass(frozen=True, slots=True)
class Described:
    """`known` are the values of the cells that were looked at again, for whoever compares a column on the same grid."""

    column: Column
    known: Values | None = None


def described(
    column: port.Column,
    type_: ColumnType,
    rows: int,
    *,
    encoder: str = "",
    percentiles: bool = True,
    identifiers: bool = True,
    beside: Callable[[Tally], Ints] | None = None,
) -> Described:
    """What `column` of `rows` rows is like; with `percentiles` finer than its deciles, and unless it looks like one of
    the `identifiers`, which are left out. `beside` names further cells to look at, once the column is tallied.
    Raises CouldNotEvaluate.
    """
    if type_.kind in ("integer", "number"):
        return _number(column, type_, percentiles, identifiers, beside)
    if type_.kind in ("text", "boolean"):
        return Described(_worded(column.words(), type_, column, identifiers))
    if type_.kind == "vector":
        return Described(_vector(column, type_.size or column.size(), rows, encoder))
    if type_.kind == "null":
        return Described(Column(kind="null", rows=rows, nulls=rows, words=_table(port.Words(nulls=rows))))
    why = MOVES_ON if type_.kind == "date" else "of a kind that is not compared"
    return Described(Column(kind=type_.kind, zone=type_.zone, rows=rows, nulls=column.nulls(), left_out=why))


def tallied(column: port.Column) -> Tally:
    """The column's numbers over a grid that suits it."""
    from pytest_mlgates.stats.histogram import lay, lay_whole

    tally = column.numbers(column.grid())
    if tally.grid.single and (tally.counts[0] or tally.counts[-1]):
        # Whole numbers beyond what was promised share the outer cells, so these hold more than one value.
        tally = column.numbers(lay_whole(tally.low, tally.high) or lay(column.hint()))
    return tally


def looked_up(column: port.Column, tally: Tally, cells: Ints) -> Values:
    """The values in `cells`: read again, or known already."""
    from pytest_mlgates.stats.histogram import none, of_single_cells

    if tally.grid.single:
        return of_single_cells(tally, cells)
    return column.values(tally.grid, cells) if len(cells) else none()


def binned(tally: Tally, ranks: Ints, known: Values) -> Numbers:
    """The exact values of the ranks (9 or 99 of them) and the rows between; `known` has the cells they are in."""
    import numpy as np

    from pytest_mlgates.stats.histogram import order_statistics, rows_below

    found = order_statistics(tally, ranks, known)
    tenths = found[9::10] if len(ranks) > 9 else found
    found, deciles = found[np.isfinite(found)], tenths[np.isfinite(tenths)]
    edges = np.unique(found)
    below = np.append(rows_below(tally, edges, known), tally.present)
    finite = tally.low <= tally.high
    return Numbers(
        low=tally.low if finite else None,
        high=tally.high if finite else None,
        mean=tally.mean,
        sd=tally.sd,
        infinite=tally.infinite,
        edges=tuple(edges.tolist()),
        counts=tuple(np.diff(below, prepend=0).tolist()),
        deciles=tuple(np.unique(deciles).tolist()),
    )


def _number(
    column: port.Column,
    type_: ColumnType,
    percentiles: bool,
    identifiers: bool,
    beside: Callable[[Tally], Ints] | None,
) -> Described:
    import numpy as np

    from pytest_mlgates.stats.histogram import cells_of_ranks

    hint = column.hint()
    distinct = len(np.unique(hint))
    if distinct <= MOST_CODES and type_.kind == "number":
        words = column.words(most=4 * MOST_CODES)
        if len(words.counts) <= MOST_CODES and not words.others and all(map(np.isfinite, words.counts)):
            return Described(_worded(words, type_, column))
    tally = tallied(column)
    if tally.grid.single and np.count_nonzero(tally.counts) <= MOST_CODES:
        return Described(_worded(codes(tally), type_, column))
    if identifiers and type_.kind == "integer" and len(hint) > _FEW and distinct > _UNIQUE * len(hint):
        different = np.count_nonzero(tally.counts) if tally.grid.single else column.distinct()
        if different > _UNIQUE * tally.present:
            return Described(_left_out(type_, tally.rows, tally.nulls))
    ranks = _ranks(tally.present, 100 if percentiles else 10)
    further = [beside(tally)] if beside is not None else []
    known = looked_up(column, tally, np.unique(np.concatenate((cells_of_ranks(tally, ranks), *further))))
    numbers = binned(tally, ranks, known)
    return Described(Column(kind=type_.kind, rows=tally.rows, nulls=tally.nulls, numbers=numbers), known)


def _ranks(present: int, parts: int) -> Ints:
    """The ranks that cut `present` rows in as many parts."""
    import numpy as np

    ranks = np.arange(1, parts, dtype=np.int64) * present // parts
    return ranks if present else ranks[:0]


def codes(tally: Tally) -> port.Words:
    """Whole numbers in single cells as a table of values."""
    import numpy as np

    held = np.flatnonzero(tally.counts)
    rows = tally.counts[held]
    order = np.argsort(-rows, kind="stable")
    values = (int(tally.grid.low) + held - 1)[order].tolist()
    return port.Words(dict(zip(values, rows[order].tolist(), strict=True)), 0, tally.nulls, len(held))


def _worded(words: port.Words, type_: ColumnType, column: port.Column, identifiers: bool = True) -> Column:
    rows = words.rows
    if identifiers and words.unique and type_.kind == "text" and words.present >= _FEW:
        return _left_out(type_, rows, column.nulls())
    return Column(kind=type_.kind, rows=rows, nulls=words.nulls, words=_table(words))


def _left_out(type_: ColumnType, rows: int, nulls: int) -> Column:
    return Column(kind=type_.kind, rows=rows, nulls=nulls, left_out=TELLS_ROWS_APART)


def _table(words: port.Words) -> Words:
    counts: Mapping[port.Word, int] = words.counts
    kept = [(word, rows) for word, rows in counts.items() if rows >= FEWEST_ROWS]
    kept = sorted(kept, key=lambda pair: (-pair[1], str(pair[0])))[:MOST_KEPT]
    once = sum(rows == 1 for rows in counts.values())
    others = words.present - sum(rows for _, rows in kept)
    return Words(counts=tuple(kept), others=others, once=once, distinct=words.distinct)


def directions(size: int, seed: int = SEED) -> Floats:
    """Random directions (size, k) of length one on average; the same for everybody."""
    import numpy as np

    found: Floats = np.random.default_rng([seed, size]).normal(size=(size, DIRECTIONS)) / size**0.5
    return found


def image(values: Floats) -> Numbers:
    """Numbers (n,) in memory, as `binned` has them; NaN raises ValueError."""
    import numpy as np

    if len(values) and not np.isfinite(values).all():
        raise ValueError("values must be finite")
    ordered = np.sort(values)
    n = len(ordered)
    ranks = (np.arange(1, 100) * n // 100)[: 99 if n else 0]
    found = ordered[ranks]
    edges = np.unique(found)
    below = np.append(np.searchsorted(ordered, edges, side="left"), n)
    return Numbers(
        low=float(ordered[0]) if n else None,
        high=float(ordered[-1]) if n else None,
        mean=float(values.mean()) if n else 0.0,
        sd=float(values.std(ddof=1)) if n > 1 else 0.0,
        edges=tuple(edges.tolist()),
        counts=tuple(np.diff(below, prepend=0).tolist()),
        deciles=tuple(np.unique(found[9::10]).tolist()),
    )


def _vector(column: port.Column, size: int, rows: int, encoder: str) -> Column:
    import numpy as np

    seen = column.vectors(directions(size)) if size else None
    if seen is None or seen.rows < 2:
        return Column(kind="vector", rows=rows, nulls=column.nulls(), left_out="fewer than two vectors")
    covariance = np.cov(seen.images, rowvar=False)
    vector = Vector(
        size=size,
        encoder=encoder,
        centroid=tuple(seen.mean.tolist()),
        spread=max(seen.spread, 0.0),
        seed=SEED,
        images=tuple(image(one) for one in seen.images.T),
        mean=tuple(seen.images.mean(axis=0).tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
    )
    return Column(kind="vector", rows=seen.rows + seen.nulls, nulls=seen.nulls, vector=vector)

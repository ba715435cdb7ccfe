"""Hypothesis strategies: rows as the contract promises them, and cells that it does not promise.

Hypothesis is imported when first needed; it shrinks what it finds toward the first of a list and toward 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlgates.behaviour.inputs import Inputs, Known
from pytest_mlgates.errors import CouldNotEvaluate

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_mlgates.manifest import Clause

Row = dict[str, Any]
_NO_NUMBER = ("abc", "", "1,5", "2024-01-31", "<null>", "0x1F")
_NO_WORD: tuple[Any, ...] = (7, -1, 2.5)
_NEW_WORDS = ("unseen", "", "unknown", "N/A", " ", "é", "0")
#: How many ranges beyond its range a number is extreme, and the largest numbers that JSON carries.
_SPANS, _HUGE = 100, (1e30, -1e30, 1.7e308, -1.7e308)


def hypothesis() -> Any:
    """The library. Raises CouldNotEvaluate that says how to install it."""
    try:
        import hypothesis as found
    except ImportError:
        raise CouldNotEvaluate(
            'rows are made up by Hypothesis, which is not installed: pip install "pytest-mlgates[behaviour]"'
        ) from None
    return found


def rows(inputs: Inputs, **fixed: SearchStrategy[Any]) -> SearchStrategy[Row]:
    """A row as promised, with some cells from other strategies."""
    from hypothesis import strategies as st

    drawn = st.fixed_dictionaries(
        {name: fixed[name] if name in fixed else cells(known) for name, known in inputs.items()}
    )
    # Hypothesis promises no order of keys, and the order of columns is a question of its own.
    return drawn.map(lambda row: {name: row[name] for name in inputs})


def cells(known: Known) -> SearchStrategy[Any]:
    """A cell as promised, now and then a null where nulls are promised."""
    from hypothesis import strategies as st

    if known.values:
        usual = st.sampled_from(list(known.values))
    elif known.low is not None and known.high is not None:
        usual = _between(known, known.low, known.high)
    elif known.examples:
        usual = st.sampled_from(list(known.examples))
    else:
        return st.none()
    return st.one_of(usual, st.none()) if known.nulls else usual


def unknown(known: Known) -> SearchStrategy[Any] | None:
    """A category of the column's kind that its vocabulary lacks, or None for a column without one."""
    from hypothesis import strategies as st

    words = [one for one in known.values if isinstance(one, str)]
    if words:
        near = [words[0] + "x", words[0].upper(), words[0].lower(), f" {words[0]}"]
        return st.sampled_from([one for one in (*_NEW_WORDS, *near) if one not in known.values])
    numbers = [one for one in known.values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if not numbers:
        return None
    low, high = int(min(numbers)), int(max(numbers))
    return st.integers(low - 10, high + 1000).filter(lambda cell: cell not in known.values)


def wrong_type(known: Known) -> SearchStrategy[Any] | None:
    from hypothesis import strategies as st

    if known.number:
        return st.sampled_from(_NO_NUMBER)
    first = next(iter(known.values or known.examples), None)
    if isinstance(first, bool):
        return st.sampled_from(("maybe", *_NO_NUMBER))
    return st.sampled_from(_NO_WORD) if isinstance(first, str) else None


def extreme(known: Known, *, infinite: bool) -> SearchStrategy[Any] | None:
    """A number far beyond the range, or None for a column without one; infinity where it can be sent."""
    if known.low is None or known.high is None:
        return None
    from hypothesis import strategies as st

    far = _SPANS * max(known.high - known.low, abs(known.high), abs(known.low), 1.0)
    endless = (float("inf"), float("-inf")) if infinite else ()
    beyond: list[float] = [known.high + far, known.low - far, *_HUGE, *endless]
    whole = [int(one) for one in beyond[:2]] if known.whole else []
    return st.sampled_from([*whole, *beyond[len(whole) :]])


def pairs(known: Known) -> SearchStrategy[tuple[Any, Any]]:
    """Two different cells as promised, the smaller first where they are numbers."""
    from hypothesis import strategies as st

    usual = cells(known).filter(lambda cell: cell is not None)
    return st.tuples(usual, usual).filter(lambda two: two[0] != two[1]).map(_ordered)


def matching(clause: Clause, known: Known) -> SearchStrategy[Any]:
    """A cell for which a kill switch's condition holds."""
    from hypothesis import strategies as st

    if clause.missing:
        return st.none()
    if clause.one_of is not None:
        return st.sampled_from(list(clause.one_of))
    span = max(abs(known.high or 0.0), abs(known.low or 0.0), 1.0)
    limit = clause.below if clause.below is not None else clause.above
    assert limit is not None
    ends = (limit - span, limit) if clause.below is not None else (limit, limit + span)
    if known.whole:
        return st.integers(round(ends[0]) - 1, round(ends[1]) + 1).filter(clause.matches)
    return st.floats(*ends).filter(clause.matches)


def _between(known: Known, low: float, high: float) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    return st.integers(int(low), int(high)) if known.whole else st.floats(low, high, allow_nan=False)


def _ordered(two: tuple[Any, Any]) -> tuple[Any, Any]:
    return two if isinstance(two[0], str) or two[0] <= two[1] else (two[1], two[0])


def with_cell(row: Mapping[str, Any], column: str, cell: Any) -> Row:
    """`row` with another cell in one column, which keeps its place."""
    return {name: cell if name == column else old for name, old in row.items()}

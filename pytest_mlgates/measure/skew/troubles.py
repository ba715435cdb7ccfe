"""What a broken pipeline does to a column, and drift does not: each is proven, with room for chance and for drift.

Every share is held against its limit by exact one-sided bounds (Clopper-Pearson) of both sides at once. What training
itself could not have seen is allowed for: of n rows, up to about 17/n of the next ones lie beyond their range by
chance, and of values seen once about as many again are still unseen (Good 1953).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_mlgates.baseline.document import Column
from pytest_mlgates.measure.skew.column import Held
from pytest_mlgates.policy import Skew

#: How sure each bound is, and -log of the chance that the allowance for the unseen is exceeded.
_LEVEL, _RARE = 1 - 1e-4, 17.0
#: A column that has one value only: the chance of that under the baseline.
_NEVER = 1e-9
#: Deciles that are all this many times the old ones (or fewer), to within this share.
_OTHER_UNIT, _EVENLY = 1.5, 0.1


def troubles(base: Column, held: Held, policy: Skew) -> Iterator[str]:
    """What is proven wrong, each in words."""
    if held.present == 0:
        if base.present:
            yield f"all {held.rows:,} values are null; in training {_percent(base.nulls, base.rows)} were"
        return
    if _above(held.nulls, held.rows, base.nulls, base.rows, policy.nulls):
        yield f"{_percent(held.nulls, held.rows)} of the values are null, {_percent(base.nulls, base.rows)} in training"
    if base.present == 0:
        return
    yield from _filled(base, held, policy)
    unseen = _unseen(base)
    if held.new and _lower(held.new, held.present) > unseen + policy.unseen:
        shown = ", ".join(repr(word) for word in held.examples)
        gone = f", and {', '.join(repr(word) for word in held.gone[:3])} gone" if held.gone else ""
        yield f"{_percent(held.new, held.present)} of the values are new (such as {shown}){gone}"
    if held.beyond and _lower(held.beyond, held.present) > _RARE / base.present + policy.unseen:
        assert base.numbers is not None
        ends = f"{_shown(base.numbers.low)} to {_shown(base.numbers.high)}"
        now = f"now {_shown(held.low)} to {_shown(held.high)}"
        yield f"{_percent(held.beyond, held.present)} of the values lie beyond training's range {ends} ({now})"


def _filled(base: Column, held: Held, policy: Skew) -> Iterator[str]:
    """One value in every row, or in far more rows than in training."""
    if held.spike is None:
        return
    value, rows, before = held.spike
    if rows == held.present:
        most = (before + 1) / (base.present + 1)
        if most < 1 and held.present * math.log(most) < math.log(_NEVER):
            yield f"every value is {value!r}; in training at most {_percent(before, base.present)} were"
    elif base.numbers is not None and _above(rows, held.present, before, base.present, policy.nulls):
        share = _percent(rows, held.present)
        yield f"{share} of the values are {value!r}, at most {_percent(before, base.present)} in training: a default?"


def nature(base: Column, held: Held, sudden_from: float) -> str:
    """Why an index beyond its limit is a broken pipeline, or "" when it looks like drift."""
    unit = _other_unit(base.numbers.deciles if base.numbers else (), held.deciles)
    if unit:
        return unit
    if base.words is not None and _recoded(held):
        return "the same frequencies belong to other values: recoded?"
    if held.psi().lower() > sudden_from:
        return f"further than drift goes ({sudden_from:g})"
    return ""


def _recoded(held: Held) -> bool:
    """The shares are the same ones, in another order."""
    from pytest_mlgates.stats import drift

    before, now = sorted(held.before[:-1]), sorted(held.now[:-1])
    if not any(before) or not any(now):
        return False
    apart = drift.psi(before, now)
    return apart.value < 0.02 and held.psi().value > 10 * max(apart.value, 0.01)


def _other_unit(old: Sequence[float], new: Sequence[float]) -> str:
    """Deciles that are the old ones times something, to the last of them: nobody's behaviour changes so evenly."""
    import numpy as np

    if len(old) < 9 or len(new) < 9:
        return ""
    x, y = np.array(old), np.array(new)
    both = (x != 0) & (y != 0)
    if both.sum() >= 5 and (np.sign(x[both]) == np.sign(y[both])).all():
        ratios = y[both] / x[both]
        factor = float(np.median(ratios))
        if max(factor, 1 / factor) > _OTHER_UNIT and float(np.abs(ratios / factor - 1).max()) < _EVENLY:
            return f"every decile is {factor:.4g} times training's: another unit?"
    return ""


def _above(now: int, rows: int, before: int, of: int, margin: float) -> bool:
    """Is the share in the sample proven to be above the baseline's by more than `margin`?"""
    from pytest_mlgates.stats.proportions import clopper_pearson

    if not now or not rows or not of or now / rows <= before / of + margin:
        return False
    return _lower(now, rows) - clopper_pearson(before, of, _LEVEL, side="upper")[1] > margin


def _lower(rows: int, of: int) -> float:
    from pytest_mlgates.stats.proportions import clopper_pearson

    return clopper_pearson(rows, of, _LEVEL, side="lower")[0]


def _unseen(base: Column) -> float:
    """The largest share of values without an entry that the baseline itself makes likely."""
    if base.words is None:
        return 1.0
    rows = base.words.others + base.words.once
    return (rows + 4 * math.sqrt(rows) + _RARE) / base.present


def _percent(rows: int, of: int) -> str:
    share = rows / of if of else 0.0
    return "none" if not rows else f"{share:.2%}" if share < 0.1 else f"{share:.1%}"


def _shown(end: float | None) -> str:
    return "nothing" if end is None else f"{end:.6g}"


def retyped(name: str, was: str, is_: str, zone_was: str, zone_is: str) -> str:
    """Why a column of one kind cannot be held against one of another, or ""."""
    numeric = ("integer", "number", "boolean")
    if was == is_ == "date" and zone_was != zone_is:
        a, b = ("with a zone" if zone else "without a zone" for zone in (zone_was, zone_is))
        return f"{name!r} has timestamps {b}, in training they were {a}: the same instant reads hours apart"
    if is_ == was or "null" in (was, is_) or (was in numeric and is_ in numeric):
        return ""
    return f"{name!r} holds {is_} values, in training it held {was} values"

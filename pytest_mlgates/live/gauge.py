"""A figure that comes without counts (a quantile, a share of instances): is it beyond its limit all the time?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from pytest_mlgates.live.flow import Points
from pytest_mlgates.live.onset import first_beyond
from pytest_mlgates.live.reading import Reading, State, Unknown
from pytest_mlgates.live.slo import COVERED, Terms
from pytest_mlgates.tiers import Tier

#: Seconds before the window that are looked back on as usual.
USUAL = 3600.0
#: Times its usual value from which on a control counts as worse, and how much worse than it a champion must be.
WORSE = 1.5
#: Fewest points that a window must have.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class GaugeLimit:
    """`bad` "above" or "below" `value`, after `seconds`; points are `step` seconds apart."""

    value: float
    seconds: float
    step: float
    bad: Literal["above", "below"] = "above"


def judge_gauge(
    points: Points, control: Points | None, limit: GaugeLimit, terms: Terms, now: float, since: float | None
) -> Reading:
    """The state at `now`. No interval is known, so a breach is every point beyond, and none missing. Raises Unknown."""
    end, window = _window(points, limit, terms, now)
    worst = max if limit.bad == "above" else min
    reading = Reading(State.WELL, worst(window), len(window), limit.value)
    if not _beyond(worst(window), limit):
        return reading
    if not all(_beyond(value, limit) for value in window):
        return replace(reading, state=State.RISING, why=f"beyond its limit, but not for {limit.seconds:.0f} s")
    nearest = min(window) if limit.bad == "above" else max(window)
    reading = replace(reading, value=nearest, began=first_beyond(points, lambda value: _beyond(value, limit)))
    if since is not None and now - since < max(terms.burn_in, limit.seconds):
        why = f"the champion was changed {max(0.0, now - since):.0f} s ago (burn-in is {terms.burn_in:.0f} s)"
        return replace(reading, state=State.RISING, why=why)
    if control is None:
        why = "there is no control to compare with" if not terms.controlled else "the control has no data"
        return replace(reading, state=State.ELSEWHERE, why=f"{why}: nobody can say whose fault it is", tier=Tier.ASK)
    beside = [value for time, value in control if end - limit.seconds < time <= end]
    usual = [value for time, value in control if end - limit.seconds - USUAL < time <= end - limit.seconds]
    elsewhere = _elsewhere(window, beside, usual, limit)
    if elsewhere:
        return replace(reading, state=State.ELSEWHERE, why=elsewhere, tier=Tier.ASK)
    return replace(reading, state=State.BREACH, why=f"the control is well ({median(beside):.3g})", tier=Tier.ACT)


def _window(points: Points, limit: GaugeLimit, terms: Terms, now: float) -> tuple[float, list[float]]:
    if not points:
        raise Unknown("there is no data at all")
    end = points[-1][0]
    if now - end > terms.stale:
        raise Unknown(f"the last data is {now - end:.0f} s old (more than {terms.stale:.0f} s)")
    values = [value for time, value in points if end - limit.seconds < time <= end]
    expected = max(FEWEST, round(limit.seconds / limit.step))
    if len(values) < COVERED * expected:
        raise Unknown(f"{len(values)} of {expected} points of the last {limit.seconds:.0f} s have data")
    if not all(math.isfinite(value) for value in values):
        raise Unknown("it answers values that are no numbers (NaN or infinite)")
    return end, values


def _beyond(value: float, limit: GaugeLimit) -> bool:
    return value > limit.value if limit.bad == "above" else value < limit.value


def _elsewhere(window: Sequence[float], beside: Sequence[float], usual: Sequence[float], limit: GaugeLimit) -> str:
    """Why it is not proven to be the champion's fault, or ""."""
    if len(beside) < FEWEST or not all(map(math.isfinite, beside)):
        return "the control has no data for this window, so nobody can say whose fault it is"
    theirs, mine = median(beside), median(window)
    if _beyond(theirs, limit):
        return f"the control is beyond the limit as well ({theirs:.3g}): not the model"
    if limit.bad == "below":
        return ""
    if mine < WORSE * theirs:
        return f"it is not {WORSE:g} times as bad as the control ({theirs:.3g})"
    past = [value for value in usual if math.isfinite(value)]
    if past and theirs >= WORSE * median(past):
        return f"the control has become {theirs / median(past):.1f} times as slow as usual: not the model alone"
    return ""

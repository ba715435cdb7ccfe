"""Burn rates: how many times faster than allowed the error budget is used up, over a long and a short window at once.

The long window makes it matter, the short one ends the alarm when it is over (Beyer et al., The Site Reliability
Workbook, 2018, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_mlgates.live.blame import blame
from pytest_mlgates.live.reading import Reading, State, Unknown
from pytest_mlgates.live.slo import COVERED, Limit, Seen, Terms
from pytest_mlgates.stats.proportions import clopper_pearson
from pytest_mlgates.tiers import Tier

#: The short window is this part of the long one.
SHORT = 12


@dataclass(frozen=True, slots=True)
class Burn:
    """`factor` times the budget, over `seconds` and over a twelfth of them."""

    factor: float
    seconds: float


def judge_burn(seen: Seen, burn: Burn, budget: float, terms: Terms, now: float) -> Reading:
    """The state at `now`; the figure is the burn rate over the long window, in budgets. Raises Unknown.

    A long window of which nothing is known yet (a service that is new) is not judged: QUIET.
    """
    end = seen.champion.last
    if now - end > terms.stale:
        raise Unknown("there is no data at all" if end == float("-inf") else f"the last data is {now - end:.0f} s old")
    share = burn.factor * budget
    long, short = (seen.champion.between(end - seconds, end) for seconds in (burn.seconds, burn.seconds / SHORT))
    if long.total < terms.requests or short.total < terms.requests:
        why = f"{long.total} and {short.total} requests in the long and the short window, {terms.requests} are needed"
        return Reading(State.QUIET, long.share / budget, long.total, burn.factor, why=why)
    if long.covered < COVERED:
        why = f"{1 - long.covered:.0%} of the last {burn.seconds / 3600:g} h have no data"
        return Reading(State.QUIET, long.share / budget, long.total, burn.factor, why=why)
    low, high = clopper_pearson(long.bad, long.total, 1 - 2 * terms.alpha)
    reading = Reading(State.WELL, long.share / budget, long.total, burn.factor, low / budget, high / budget)
    if long.share <= share:
        return reading
    if short.share <= share:
        return replace(reading, state=State.RISING, why="it is over: the short window is within the limit")
    if low <= share:
        return replace(reading, state=State.RISING, why="beyond its limit, but not proven to be")
    limit = Limit(share, burn.seconds / SHORT)
    found = blame(seen.champion, seen.control, seen.control_own, end, limit, terms, seen.since)
    # That the budget burns is proven whoever is to blame, and what burns for hours is a person's to judge.
    return replace(reading, state=State.BREACH, why=found.why, tier=found.tier if found.champions else Tier.ASK)

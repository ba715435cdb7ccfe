"""Whose fault is a breach? The champion's only if it is worse than what runs beside it, or than what it replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_mlgates.live.flow import Flow, Sum
from pytest_mlgates.live.onset import FAR, STEP, beginning
from pytest_mlgates.tiers import Tier

if TYPE_CHECKING:
    from pytest_mlgates.live.slo import Limit, Terms

#: Seconds of what is usual, twice, which end where the trouble began, and the least of them that must be known.
USUAL, LEAST = 3600.0, 600.0
#: Bad requests of a control below which nothing is said of how it has changed, and times its usual from which on what
#: it shares with the champion is in trouble.
FEWEST, CHANGED = 10, 1.25


@dataclass(frozen=True, slots=True)
class Blame:
    """Whether it is the champion's own fault, who decides what follows, and why."""

    champions: bool
    tier: Tier
    why: str


def blame(
    champion: Flow,
    control: Flow | None,
    control_own: Flow | None,
    end: float,
    limit: Limit,
    terms: Terms,
    since: float | None,
) -> Blame:
    """Who is to blame for a breach of `limit` that is proven for the window that ends at `end`."""
    start = end - limit.seconds
    mine = champion.between(start, end)
    began = beginning(champion, start, limit)
    if began is None:
        return Blame(False, Tier.ASK, f"it has been so for more than {FAR / 3600:.0f} h: nobody knows what is usual")
    times = _spike(champion, start, end, began)
    if times >= terms.spike:
        return Blame(False, Tier.ASK, f"traffic is {times:.1f} times the usual: overload, not the model")
    if control is None:
        if terms.controlled:
            return Blame(False, Tier.ASK, "the control has no data, so nobody can say whose fault it is")
        return _without_control(champion, limit, terms, began, since, end)
    theirs = control.between(start, end)
    if theirs.total < terms.requests:
        why = f"the control had {theirs.total} requests meanwhile, too few to say whose fault it is"
        return Blame(False, Tier.ASK, why)
    if theirs.share > limit.share:
        return Blame(False, Tier.ASK, f"the control is beyond the limit as well ({theirs.share:.2%}): not the model")
    for own in (control, control_own):
        if own is not None and (grown := _degraded(own, start, end, began, terms)):
            why = f"the control has become worse too ({grown:.1f} times its usual): not the model alone"
            return Blame(False, Tier.ASK, why)
    if not proven_worse(mine, theirs, terms.worse, terms.alpha):
        why = f"it is not proven {terms.worse:g} times as bad as the control ({theirs.share:.2%})"
        return Blame(False, Tier.ASK, why)
    return Blame(True, Tier.ACT, f"the control is well ({theirs.share:.2%} of {theirs.total:,})")


def proven_worse(mine: Sum, theirs: Sum, times: float, alpha: float) -> bool:
    """Whether my share is proven to be `times` theirs or more, one-sided, exact given both counts together.

    Two Poisson rates compared by the binomial of their sum (Przyborowski & Wilenski 1940); shares of a few per cent
    are close to rates, and larger ones only make it careful.
    """
    from pytest_mlgates.stats.proportions import binomial_p_above

    if mine.bad == 0 or mine.total == 0 or theirs.total == 0:
        return False
    expected = times * mine.total / (times * mine.total + theirs.total)
    return binomial_p_above(mine.bad, mine.bad + theirs.bad, expected) <= alpha


def _without_control(
    champion: Flow, limit: Limit, terms: Terms, began: float, since: float | None, end: float
) -> Blame:
    """The former champion on the same traffic, before the change, is the control of a change that is recent."""
    if since is None:
        return Blame(True, Tier.ASK, "there is no control, and no record of when this champion came")
    age = end - since
    if age > terms.suspect:
        why = f"there is no control, and the champion has served for {age / 3600:.0f} h: what changed was not the model"
        return Blame(True, Tier.ASK, why)
    before = champion.between(min(since, began) - USUAL, min(since, began))
    if before.total >= terms.requests and before.share > limit.share:
        return Blame(False, Tier.ASK, f"it was beyond the limit before the champion came too ({before.share:.2%})")
    if before.total < terms.requests:
        return Blame(True, Tier.ASK, "there is no control, and nothing is known of the time before the champion came")
    return Blame(True, Tier.ACT, f"before the champion came it was well ({before.share:.2%} of {before.total:,})")


def _spike(flow: Flow, start: float, end: float, began: float) -> float:
    """Requests in the window, or in its last minute while they still grow, against the usual, as a multiple; 0 where
    the usual is not known.
    """
    whole = flow.between(start, end)
    usual = [one for one in _usual(flow, began) if one.total and one.known * (end - start) >= LEAST * whole.steps]
    now = [one for one in (whole, flow.between(end - STEP, end)) if one.known]
    return max([(n.total / n.known) / (u.total / u.known) for n in now for u in usual], default=0.0)


def _usual(flow: Flow, began: float) -> tuple[Sum, Sum]:
    """The hour before the trouble, and the one before that: of trouble that comes and goes one may be spoilt."""
    return flow.between(began - USUAL, began), flow.between(began - 2 * USUAL, began - USUAL)


def _degraded(own: Flow, start: float, end: float, began: float, terms: Terms) -> float:
    """How many times as bad as usual the control is, where that is proven to be too much; else 0."""
    now, found = own.between(start, end), 0.0
    for usual in _usual(own, began):
        if now.bad >= FEWEST and usual.total >= terms.requests:
            if usual.bad == 0:
                usual = Sum(usual.total, 1, usual.known, usual.steps)
            if proven_worse(now, usual, CHANGED, terms.alpha):
                found = max(found, now.share / usual.share)
    return found

"""Is a share of requests (wrong ones, slow ones) beyond its limit, for as long as stated, and is the champion to blame?

Looked at thousands of times a day, so a breach must be proven at a small alpha (exact binomial bound) over the whole
window and hold in each of its parts: requests fail in bursts, which the binomial does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_mlgates.live.blame import Blame, blame
from pytest_mlgates.live.flow import Flow, Sum
from pytest_mlgates.live.onset import first_bad
from pytest_mlgates.live.reading import Reading, State, Unknown
from pytest_mlgates.tiers import Tier

#: A window is looked at in so many parts, of which so many must say something.
PARTS, TELLING = 5, 3
#: Requests from which on a part says something.
PART_REQUESTS = 10
#: Share of a window's steps that must have data.
COVERED = 0.8
#: Seconds of what is usual, in hours that end where the trouble began; and how far back its beginning is looked for.
USUAL, FAR = 3600.0, 3600.0
#: Seconds of data that a judgement may look back on before its window.
BACK = FAR + 2 * USUAL


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than a share `share` of requests is bad, else after `seconds` it is a breach."""

    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes to say something: `requests` in a window, `alpha` a one-sided proof, data not older than `stale`
    seconds, `burn_in` seconds since the last change of champion. The rest is for `blame`.
    """

    requests: int = 50
    alpha: float = 0.001
    stale: float = 120.0
    burn_in: float = 180.0
    worse: float = 2.0
    spike: float = 2.0
    suspect: float = 86_400.0
    controlled: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The champion's requests, those of a control at the same time (None: there is none, or it has no data), and the
    control's by its own measure of what is bad for it. `since`: when the champion was last changed (None: not known).
    """

    champion: Flow
    control: Flow | None = None
    control_own: Flow | None = None
    since: float | None = None


def judge(seen: Seen, limit: Limit, terms: Terms, now: float) -> Reading:
    """The state of one figure at `now` (seconds, by the clock of the data). Raises Unknown."""
    end = _fresh(seen.champion, terms, now)
    whole = _covered(seen.champion, end, limit.seconds)
    if whole.total < terms.requests:
        return _quiet(seen.champion, whole, limit, terms, end)
    reading = Reading(State.WELL, whole.share, whole.total, limit.share)
    if whole.share <= limit.share:
        return reading
    # What the former champion did is not this one's.
    if seen.since is not None and now - seen.since < max(terms.burn_in, limit.seconds):
        why = f"the champion was changed {max(0.0, now - seen.since):.0f} s ago (burn-in is {terms.burn_in:.0f} s)"
        return replace(reading, state=State.RISING, why=why)
    if not (_sustained(seen.champion, end, limit) and _proven(whole, limit, terms)):
        why = f"beyond its limit, but not proven to be so throughout the last {limit.seconds:.0f} s"
        return replace(reading, state=State.RISING, why=why)
    reading = replace(reading, began=first_bad(seen.champion, end - limit.seconds, limit))
    return _blamed(reading, blame(seen.champion, seen.control, seen.control_own, end, limit, terms, seen.since))


def _blamed(reading: Reading, found: Blame) -> Reading:
    if not found.champions:
        return replace(reading, state=State.ELSEWHERE, why=found.why, tier=Tier.ASK)
    return replace(reading, state=State.BREACH, why=found.why, tier=found.tier)


def _fresh(flow: Flow, terms: Terms, now: float) -> float:
    """The end of the last step that is known."""
    end = flow.last
    if end == float("-inf"):
        raise Unknown("there is no data at all")
    if now - end > terms.stale:
        raise Unknown(f"the last data is {now - end:.0f} s old (more than {terms.stale:.0f} s)")
    return end


def _covered(flow: Flow, end: float, seconds: float) -> Sum:
    whole = flow.between(end - seconds, end)
    if whole.covered < COVERED:
        raise Unknown(f"{1 - whole.covered:.0%} of the last {seconds:.0f} s have no data")
    return whole


def _proven(whole: Sum, limit: Limit, terms: Terms) -> bool:
    """Whether the exact lower bound of the share is above the limit."""
    from pytest_mlgates.stats.proportions import binomial_p_above

    return binomial_p_above(whole.bad, whole.total, limit.share) <= terms.alpha


def _sustained(flow: Flow, end: float, limit: Limit) -> bool:
    """Every part of the window that says something is beyond the limit, most of them do, and its ends are: it has not
    just begun, and is not just over.
    """
    for edge in flow.edges(end - limit.seconds, end):
        if edge.total >= PART_REQUESTS and edge.share <= limit.share:
            return False
    width = limit.seconds / PARTS
    parts = [flow.between(end - (part + 1) * width, end - part * width) for part in range(PARTS)]
    telling = [part for part in parts if part.total >= PART_REQUESTS]
    return len(telling) >= TELLING and all(part.share > limit.share for part in telling)


def _quiet(flow: Flow, whole: Sum, limit: Limit, terms: Terms, end: float) -> Reading:
    """Too few requests say nothing, and where there were many before, somebody should ask where they went."""
    usual = flow.between(end - limit.seconds - USUAL, end - limit.seconds)
    expected = usual.total * limit.seconds / USUAL * (1 / usual.covered if usual.known else 0.0)
    reading = Reading(State.QUIET, whole.share, whole.total, limit.share)
    needed = f"{whole.total} requests in {limit.seconds:.0f} s, {terms.requests} are needed to say anything"
    if expected >= 10 * terms.requests and usual.covered >= COVERED:
        return replace(reading, why=f"requests have stopped: {needed}, and {expected:.0f} are usual", tier=Tier.ASK)
    return replace(reading, why=needed)

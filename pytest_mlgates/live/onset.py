"""When did the trouble begin that is proven now?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_mlgates.live.flow import Flow, Points

if TYPE_CHECKING:
    from pytest_mlgates.live.slo import Limit

#: Seconds that a beginning is looked for, in steps of so many, and how many good ones in a row are before it.
FAR, STEP, GOOD = 3600.0, 60.0, 3


def beginning(flow: Flow, start: float, limit: Limit) -> float | None:
    """Where the trouble began that goes on after `start`: before it come good steps, or a time that nobody knows.

    An outage that has lasted would otherwise become the usual itself. None when it began too long ago.
    """
    began, place, good = start, start, 0
    while place > start - FAR:
        part = flow.between(place - STEP, place)
        place -= STEP
        if part.total and part.share > limit.share:
            began, good = place, 0
        else:
            good += 1
        if good == GOOD:
            return began
    return None


def first_bad(flow: Flow, start: float, limit: Limit) -> float | None:
    """When that trouble began, as exactly as the server sampled it: a step that it began in counts from its start.

    None when it began too long ago for anybody to say.
    """
    coarse = beginning(flow, start, limit)
    if coarse is None:
        return None
    place = bisect_right(flow.times, coarse + 1e-6)
    while place < len(flow.times) and not _beyond(flow, place, limit):
        place += 1
    while place > 1 and _beyond(flow, place - 1, limit):
        place -= 1
    return flow.times[place - 1] if 0 < place < len(flow.times) else None


def first_beyond(points: Points, beyond: Callable[[float], bool]) -> float | None:
    """The first of the points beyond a limit that go on until the last; None where none is known before them."""
    begun = len(points)
    while begun and beyond(points[begun - 1][1]):
        begun -= 1
    return points[begun][0] if 0 < begun < len(points) else None


def _beyond(flow: Flow, place: int, limit: Limit) -> bool:
    one = flow.between(flow.times[place] - 1e-3, flow.times[place])
    return one.total > 0 and one.share > limit.share

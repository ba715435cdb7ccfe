"""When a verdict on latency may be taken: the planned looks, moved so that a pass rests on enough time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_mlgates.measure.load.quantile import BLOCK, LOOKS
from pytest_mlgates.policy import Latency


@dataclass(frozen=True, slots=True)
class Look:
    """A verdict may be taken after `requests` requests; `index` says which part of alpha it spends."""

    index: int
    requests: int


def looks(policy: Latency) -> tuple[Look, ...]:
    """The looks of `policy`, one at least, in order.

    Looks that come before `seconds` are over are joined into one at their end; those beyond `most` requests or
    `within` seconds are dropped. A part of alpha that is not spent makes the verdict stricter, never laxer.
    """
    first = math.ceil(policy.rate * policy.seconds)
    lasting = math.floor(policy.rate * (policy.within - policy.warm_up - policy.timeout))
    later = [Look(index, n) for index, n in enumerate(LOOKS) if first <= n <= min(policy.most, lasting)]
    if not later or later[0].requests > max(first, LOOKS[0]):
        passed = sum(n < first for n in LOOKS)
        later.insert(0, Look(max(passed - 1, 0), max(first, LOOKS[0])))
    return tuple(later)


def block(policy: Latency, requests: int) -> int:
    """Requests a block, for the design effect: a second's worth, so that a stall falls into few blocks; 20 at least."""
    return max(BLOCK, min(round(policy.rate), requests // 20))

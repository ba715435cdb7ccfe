"""What one look says of one figure: its state, why, and who decides what follows."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pytest_mlgates.tiers import Tier


class State(enum.StrEnum):
    """`BREACH`: proven, sustained, and the champion's own. `ELSEWHERE`: proven, but not proven to be its fault.
    `RISING`: beyond the limit, not yet for long enough or not proven. `QUIET`: too few requests to say anything.
    """

    WELL = "well"
    RISING = "rising"
    QUIET = "quiet"
    ELSEWHERE = "elsewhere"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` of `n` requests (or points) with its bounds, in the unit of `limit`; `tier` is None where nobody need be
    told. `began`: when it began to be beyond, seconds since 1970, where that is known.
    """

    state: State
    value: float
    n: int
    limit: float
    low: float | None = None
    high: float | None = None
    why: str = ""
    tier: Tier | None = None
    began: float | None = None


class Unknown(Exception):
    """Nothing can be said for want of data: stale, full of gaps, or never there. A person is told; nothing is done."""

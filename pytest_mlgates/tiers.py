"""Who decides what follows from a finding about what serves, who is told of it, and how soon."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Tier(enum.StrEnum):
    """The machine acts alone, a person is asked, or somebody reads it later; the first is the strongest."""

    ACT = "act"
    ASK = "ask"
    REVIEW = "review"

    @property
    def strength(self) -> int:
        return ("review", "ask", "act").index(self.value)


@dataclass(frozen=True, slots=True)
class Told:
    """`severity` is SEV1 .. SEV4, `who` is told, and `minutes` until somebody must have answered."""

    severity: str
    who: str
    minutes: int

    def __str__(self) -> str:
        within = f"{self.minutes} min" if self.minutes < 120 else f"{self.minutes // 60} h"
        return f"{self.severity}, {self.who}, within {within}"


#: A rollback that failed, or cannot be verified: what serves is proven bad, or nobody knows what serves.
FAILED = Told("SEV1", "the pager", 5)
OF_TIER: Mapping[Tier, Told] = {
    Tier.ACT: Told("SEV2", "the pager, of what was done", 15),
    Tier.ASK: Told("SEV2", "the pager, who decides", 15),
    Tier.REVIEW: Told("SEV4", "the model's owner", 480),
}
#: Nothing can be said, so nobody is watching.
BLIND = Told("SEV3", "on-call, who looks in the machine's place", 60)


def weaker(one: Tier, other: Tier) -> Tier:
    return min(one, other, key=lambda tier: tier.strength)

"""PASS < INCONCLUSIVE < ERROR < FAIL, and the worst of several."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mlgates.evidence import Evidence


class Verdict(enum.IntEnum):
    """Ordered so that ``max`` is the worst."""

    PASS = 0
    INCONCLUSIVE = 1
    ERROR = 2
    FAIL = 3

    def __str__(self) -> str:
        return self.name


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of `verdicts`; of none at all ERROR, because nothing judged is nothing proven."""
    return max(verdicts, default=Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of one piece of evidence: the verdict, why in a sentence, and the limit in words."""

    verdict: Verdict
    sentence: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One piece of evidence and what the rule said of it."""

    evidence: Evidence
    finding: Finding

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict

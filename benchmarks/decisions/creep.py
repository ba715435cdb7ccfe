"""Tolerated losses add up: ten releases on one golden set, with and without the comparison with its first champion.

Each challenger is a retrain of the champion (score correlation .98), on average a little worse. What passes the
product's own measurement and rule is promoted, until ten were.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from decisions.auc import MARGIN, evidence, golden_of
from decisions.goals import Goal
from decisions.truth import AUC, Floats, shift_of
from pytest_mlgates.rules import not_worse_than
from pytest_mlgates.verdict import Verdict

ROWS = 5_000
CORRELATION = 0.98
RELEASES, MOST_TRIES = 10, 30
#: Mean and standard deviation of what a challenger gains on the champion.
ERODING, STEADY = (-0.002, 0.002), (-0.001, 0.003)


@dataclass
class Tally:
    """Over all runs: how they ended, and what the comparison with the first champion said of honest challengers."""

    runs: int = 0
    said: Counter[str] = field(default_factory=Counter)

    def share(self, what: str, of: str = "") -> float:
        return self.said[what] / max(self.said[of] if of else self.runs, 1)


@dataclass(frozen=True, slots=True)
class Model:
    noise: Floats
    auc: float

    def scores(self, y: Floats) -> Floats:
        return self.noise + shift_of(self.auc) * y


def one(rng: np.random.Generator, change: tuple[float, float], lenient: frozenset[Verdict], tally: Tally) -> None:
    """One life of a golden set; `lenient` are the verdicts against the first champion that let a challenger pass."""
    y = (np.arange(ROWS) % 2).astype(np.int8)
    golden = golden_of(y)
    first = champion = Model(rng.normal(size=ROWS), AUC)
    promoted = 0
    for _ in range(MOST_TRIES):
        fresh = math.sqrt(1 - CORRELATION**2) * rng.normal(size=ROWS)
        challenger = Model(CORRELATION * champion.noise + fresh, champion.auc + rng.normal(*change))
        passed = _verdict(golden, champion, challenger) is Verdict.PASS
        if passed and promoted:
            verdict = _verdict(golden, first, challenger)
            honest = challenger.auc >= first.auc
            tally.said["honest"] += honest
            tally.said["honest held"] += honest and verdict not in lenient
            tally.said["honest failed"] += honest and verdict is Verdict.FAIL
            passed = verdict in lenient
        if passed:
            champion, promoted = challenger, promoted + 1
        if promoted == RELEASES:
            break
    tally.runs += 1
    tally.said["crept"] += champion.auc < first.auc - MARGIN


def _verdict(golden: object, old: Model, new: Model) -> Verdict:
    y = golden.y  # type: ignore[attr-defined]
    return not_worse_than(MARGIN)(evidence(golden, old.scores(y), new.scores(y))).verdict  # type: ignore[arg-type]


def lives(repeats: int, seed: int, change: tuple[float, float], lenient: frozenset[Verdict]) -> Tally:
    tally = Tally()
    rng = np.random.default_rng([seed, 10])
    for _ in range(repeats):
        one(rng, change, lenient, tally)
    return tally


def run(repeats: int, seed: int) -> list[Goal]:
    repeats = max(repeats // 4, 1)  # a run is up to thirty challengers
    prove, watch = frozenset({Verdict.PASS}), frozenset({Verdict.PASS, Verdict.INCONCLUSIVE})
    off = frozenset(Verdict)
    alone, watched, proven = (lives(repeats, seed, ERODING, lenient) for lenient in (off, watch, prove))
    steady = lives(repeats, seed, STEADY, prove)
    usual, words = alone.share("crept"), "usual: without the first champion"
    return [
        Goal("anchor: 10 releases end > .005 lower", proven.share("crept"), None, usual, repeats, remark=words),
        Goal("anchor: the same, only watched", watched.share("crept"), None, usual, repeats),
        Goal("anchor: false fail of an honest one", proven.share("honest failed", "honest"), 0.03, None, repeats),
        Goal("anchor: honest ones held, eroding", proven.share("honest held", "honest"), None, None, repeats),
        Goal("anchor: honest ones held, steady", steady.share("honest held", "honest"), None, None, repeats),
    ]

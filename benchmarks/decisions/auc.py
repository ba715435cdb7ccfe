"""AUC: not worse than the champion by .005, judged by the product's own measurement and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decisions.goals import Goal
from decisions.truth import AUC, Floats, Noise, noise, shift_of
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.quality import gain
from pytest_mlgates.policy import GoldenRegression
from pytest_mlgates.rules import better_by, not_worse_than
from pytest_mlgates.settings import Settings
from pytest_mlgates.stats.metrics import METRICS
from pytest_mlgates.verdict import Verdict

SIZES = (200, 500, 1_000, 2_000, 5_000)
BALANCES = (0.5, 0.1, 0.02)
CORRELATIONS = (0.5, 0.9, 0.98)
MARGIN = 0.005
EQUAL, BOUNDARY, WORSE = 0.0, -MARGIN, -0.01

SETTINGS = Settings(model="m", golden="g.csv", label="y", task="binary")
POLICY = GoldenRegression()
_Z = NormalDist().inv_cdf(0.95)


@dataclass
class Scores:
    """A model that has answered already."""

    answers: Floats
    threshold: float = 0.5

    def scores(self, rows: Any) -> Floats:
        return self.answers


def golden_of(y: NDArray[Any]) -> GoldenSet:
    import pandas as pd

    none = pd.DataFrame(index=range(len(y)))
    return GoldenSet(none, y, none, None, None, "", Path("g.csv"), (0, 1))


def evidence(golden: GoldenSet, first: Floats, second: Floats) -> Evidence:
    return gain(
        METRICS["roc_auc"], METRICS["roc_auc"].default_margin, golden, Scores(first), Scores(second), POLICY, SETTINGS
    )  # type: ignore[arg-type]


def point(made: Evidence) -> float:
    """The point difference, which usual rules look at; where ours is too short of rows to say, it says 0."""
    return 0.0 if made.value is None else made.value


def oracle_passes(rows: Noise, correlation: float) -> bool:
    """A test that knows the distribution: the difference of the class means of the change, of known variance."""
    positive = rows.y == 1
    change = rows.challenger - rows.champion
    moved = float(change[positive].mean() - change[~positive].mean())
    variance = 2 * (1 - correlation) * (1 / positive.sum() + 1 / (~positive).sum())
    return moved + shift_of(AUC) - shift_of(AUC - MARGIN) > _Z * float(variance) ** 0.5


@dataclass
class Tally:
    """Counts over all cells: of runs, of what happened, and by cell."""

    runs: int = 0
    said: Counter[str] = field(default_factory=Counter)

    def share(self, what: str) -> float:
        return self.said[what] / max(self.runs, 1)


def one(rng: np.random.Generator, n: int, balance: float, correlation: float, tally: Tally) -> None:
    """One draw of the noise, judged at three truths."""
    rows = noise(rng, n, balance, correlation)
    golden = golden_of(rows.y)
    tally.runs += 1
    tally.said["oracle"] += oracle_passes(rows, correlation)
    for truth in (EQUAL, BOUNDARY, WORSE):
        made = evidence(golden, *rows.scores(AUC, AUC + truth))
        verdict = not_worse_than(MARGIN)(made).verdict
        tally.said[f"{verdict} {truth}"] += 1
        tally.said[f"usual {truth}"] += point(made) >= -MARGIN
        if truth == EQUAL:
            tally.said["promoted"] += better_by(MARGIN)(made).verdict is Verdict.PASS
            tally.said["usual promoted"] += point(made) >= MARGIN


def run(repeats: int, seed: int, sizes: Sequence[int] = SIZES) -> list[Goal]:
    tally = Tally()
    for n in sizes:
        for balance in BALANCES:
            for correlation in CORRELATIONS:
                rng = np.random.default_rng([seed, n, round(100 * balance), round(100 * correlation)])
                for _ in range(repeats):
                    one(rng, n, balance, correlation, tally)
    share, n = tally.share, tally.runs
    return [
        Goal("AUC: pass at the boundary, pooled", share(f"PASS {BOUNDARY}"), 0.06, share(f"usual {BOUNDARY}"), n),
        Goal("AUC: fail at the boundary, pooled", share(f"FAIL {BOUNDARY}"), 0.06, 1 - share(f"usual {BOUNDARY}"), n),
        Goal("AUC: passed at -.01, pooled", share(f"PASS {WORSE}"), 0.03, share(f"usual {WORSE}"), n),
        Goal("AUC: false fail at 0, pooled", share(f"FAIL {EQUAL}"), 0.03, 1 - share(f"usual {EQUAL}"), n),
        Goal(
            "AUC: equal passes / oracle's",
            share(f"PASS {EQUAL}") / max(share("oracle"), 1e-9),
            0.75,
            None,
            n,
            at_least=True,
            share=False,
        ),
        Goal("AUC: equal is 'better', pooled", share("promoted"), 0.05, share("usual promoted"), n),
    ]

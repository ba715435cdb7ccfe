"""Slices: ten equal parts of the golden set, judged as the product's one family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from decisions.auc import BALANCES, CORRELATIONS, SIZES
from decisions.goals import Goal
from decisions.truth import AUC, Floats, noise
from pytest_mlgates.measure.slices.family import Family, Scored, family
from pytest_mlgates.measure.slices.rows import Slice
from pytest_mlgates.policy import Slices
from pytest_mlgates.stats.metrics import METRICS

COUNT = 10
HARM = 0.10
POLICY = Slices()


def ten(rng: np.random.Generator, n: int) -> list[Slice]:
    places = rng.permutation(n) % COUNT
    return [Slice(f"s{i}", places == i, "column") for i in range(COUNT)]


def judged(y: np.ndarray, first: Floats, second: Floats, slices: list[Slice]) -> Family:
    return family(METRICS["roc_auc"], Scored(y, first, second), slices, POLICY)


def usual_alarms(found: Family) -> list[str]:
    """The slices whose point difference is beyond the margin."""
    return [part["name"] for part in found.summary.details["slices"] if part["gain"] < -POLICY.margin]


def named(found: Family) -> list[str]:
    return [evidence.where for evidence in found.harmed]


def false_alarms(
    rng: np.random.Generator, repeats: int, n: int, balance: float, correlation: float
) -> tuple[float, float]:
    """(ours, usual): share of runs in which a slice is called harmed when none is."""
    ours = usual = 0
    for _ in range(repeats):
        rows = noise(rng, n, balance, correlation)
        found = judged(rows.y, *rows.scores(AUC, AUC), ten(rng, n))
        ours += bool(named(found))
        usual += bool(usual_alarms(found))
    return ours / repeats, usual / repeats


def naming(rng: np.random.Generator, repeats: int, n: int, balance: float, correlation: float) -> tuple[float, float]:
    """(ours, usual): share of runs in which the one slice that lost .10 is named."""
    ours = usual = 0
    for _ in range(repeats):
        rows = noise(rng, n, balance, correlation)
        slices = ten(rng, n)
        first, well = rows.scores(AUC, AUC)
        _, badly = rows.scores(AUC, AUC - HARM)
        found = judged(rows.y, first, np.where(slices[0].rows, badly, well), slices)
        ours += "s0" in named(found)
        usual += "s0" in usual_alarms(found)
    return ours / repeats, usual / repeats


def run(repeats: int, seed: int, sizes: Sequence[int] = SIZES) -> list[Goal]:
    worst: tuple[float, float, str] = (-1.0, 0.0, "")
    for n in sizes:
        for balance in BALANCES:
            if n / COUNT * balance < 5:
                continue  # no slice can have ten rows of the rarer class
            for correlation in CORRELATIONS:
                rng = np.random.default_rng([seed, n, round(100 * balance), round(100 * correlation)])
                ours, usual = false_alarms(rng, repeats, n, balance, correlation)
                worst = max(worst, (ours, usual, f"n={n:,}, {100 * balance:g} %, correlation {correlation:g}"))
    goals = [Goal("slices: any false alarm, worst cell", worst[0], 0.06, worst[1], repeats, remark=worst[2])]
    # At correlation .5 the harm is three standard errors of the slice: even the oracle misses it now and then.
    for correlation, limit in ((0.9, 0.95), (0.5, None)):
        rng = np.random.default_rng([seed, round(100 * correlation)])
        ours, usual = naming(rng, repeats, 2_000, 0.5, correlation)
        name = f"slices: names a -.10 slice, correlation {correlation:g}"
        goals.append(Goal(name, ours, limit, usual, repeats, at_least=True))
    return goals

"""Disparate impact at the boundary .8: both directions, small groups, low and high rates, several groups."""

from __future__ import annotations

from itertools import product

import numpy as np

from decisions.goals import Goal
from decisions.truth import Floats
from pytest_mlgates.measure.fairness.champion import Pair, unharmed
from pytest_mlgates.measure.fairness.disparate_impact import impact_of_counts
from pytest_mlgates.policy import Fairness
from pytest_mlgates.rules import at_least
from pytest_mlgates.verdict import Verdict, worst

BOUND = 0.8
POLICY = Fairness()
SIZES = ((50, 50), (50, 200), (200, 50), (100, 100), (200, 200), (100, 1_000), (1_000, 1_000))
RATES = (0.1, 0.3, 0.6)
RATIOS = (BOUND, 1 / BOUND)


def verdict(counts: dict[str, tuple[int, int]]) -> Verdict:
    return worst(at_least(BOUND)(evidence).verdict for evidence in impact_of_counts(counts, bound=BOUND, reference="r"))


def usual(counts: dict[str, tuple[int, int]]) -> bool:
    """The point rule passes."""
    rates = [selected / size for selected, size in counts.values()]
    return max(rates) > 0 and min(rates) / max(rates) >= BOUND


def drawn(rng: np.random.Generator, rates: dict[str, float], sizes: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (int(rng.binomial(size, rates[name])), size) for name, size in sizes.items()}


def harmed(first: Floats, second: Floats, sizes: dict[str, int]) -> bool:
    """Is a group said to be worse off with the second model? Half of all are selected, whatever their group."""
    codes = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), list(sizes.values())))
    chosen = [scores[: len(codes)] > np.median(scores) for scores in (first, second)]
    margin, alpha = POLICY.champion_margin, POLICY.champion_alpha
    return unharmed("g", Pair(tuple(sizes), codes, *chosen), "r", margin=margin, alpha=alpha).value == 0


def cell(
    rng: np.random.Generator, repeats: int, rates: dict[str, float], sizes: dict[str, int]
) -> tuple[float, float, float]:
    """(PASS, FAIL, the point rule's pass), as shares."""
    passed = failed = by_point = 0
    for _ in range(repeats):
        counts = drawn(rng, rates, sizes)
        said = verdict(counts)
        passed += said is Verdict.PASS
        failed += said is Verdict.FAIL
        by_point += usual(counts)
    return passed / repeats, failed / repeats, by_point / repeats


def run(repeats: int, seed: int) -> list[Goal]:
    repeats *= 3  # cheap, and the worst of many cells needs it
    passes = fails = (-1.0, 0.0, "")
    for place, ((own, other), rate, ratio) in enumerate(product(SIZES, RATES, RATIOS)):
        rng = np.random.default_rng([seed, place])
        rates = {"r": rate / ratio if ratio < 1 else rate, "g": rate if ratio < 1 else rate * ratio}
        passed, failed, by_point = cell(rng, repeats, rates, {"g": own, "r": other})
        words = f"{own} against {other}, rates {rates['g']:.2g} and {rates['r']:.2g}"
        passes = max(passes, (passed, by_point, words))
        fails = max(fails, (failed, 1 - by_point, words))
    rng = np.random.default_rng([seed, 99])
    four = {"r": 200, "a": 150, "b": 100, "c": 50, "d": 50}
    at_bound = {"r": 0.5, "a": 0.4, "b": 0.4, "c": 0.4, "d": 0.4}
    family = cell(rng, repeats, at_bound, four)
    return [
        Goal("DI: pass at the boundary, worst cell", passes[0], 0.09, passes[1], repeats, remark=passes[2]),
        Goal("DI: fail at the boundary, worst cell", fails[0], 0.09, fails[1], repeats, remark=fails[2]),
        Goal("DI: four groups at the boundary, any fail", family[1], 0.09, 1 - family[2], repeats),
    ]

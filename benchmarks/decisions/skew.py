"""Skew: twenty normal features over the reference's deciles, some of them moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from decisions.goals import Goal
from decisions.truth import Floats, mean_shift
from pytest_mlgates.measure.skew.psi import stability
from pytest_mlgates.rules import at_most
from pytest_mlgates.stats.drift import ks_distance
from pytest_mlgates.verdict import Verdict

FEATURES = 20
SIZES = (200, 500, 1_000, 5_000)
SMALL, LARGE = 0.01, 0.5
LIMIT = 0.2


def fails(reference: Floats, sample: Floats) -> bool:
    return at_most(LIMIT)(stability(reference, sample, feature="x")).verdict is Verdict.FAIL


def usual_fails(reference: Floats, sample: Floats) -> bool:
    """KS p < .05, by the asymptotic critical value."""
    n, m = len(reference), len(sample)
    return ks_distance(reference, sample) > 1.358 * np.sqrt(1 / n + 1 / m)


def any_alarm(rng: np.random.Generator, n: int, shift: float, features: int = FEATURES) -> tuple[bool, bool]:
    """(ours, usual): does any of the features fail?"""
    pairs = [(rng.normal(size=n), rng.normal(size=n) + shift) for _ in range(features)]
    return any(fails(*pair) for pair in pairs), any(usual_fails(*pair) for pair in pairs)


def run(repeats: int, seed: int, sizes: Sequence[int] = SIZES) -> list[Goal]:
    false = (-1.0, 0.0, "")
    for n in sizes:
        rng = np.random.default_rng([seed, n])
        said = np.array([any_alarm(rng, n, mean_shift(SMALL)) for _ in range(repeats)]).mean(axis=0)
        false = max(false, (float(said[0]), float(said[1]), f"n={n:,}, any of {FEATURES} features"))
    rng = np.random.default_rng([seed, 7])
    found = np.array([any_alarm(rng, 1_000, mean_shift(LARGE), features=1) for _ in range(repeats)]).mean(axis=0)
    return [
        Goal("skew: fail at PSI .01, worst n", false[0], 0.01, false[1], repeats, remark=false[2]),
        Goal("skew: detects PSI .5 at n=1,000", float(found[0]), 0.95, float(found[1]), repeats, at_least=True),
    ]

"""The whole suite when nothing has changed: AUC, ten slices, four groups, twenty features, p99 and errors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from decisions import auc, groups, latency, parts, skew
from decisions.goals import Goal
from decisions.truth import AUC, noise
from pytest_mlgates.measure.load.quantile import error_rate
from pytest_mlgates.rules import at_most, not_worse_than
from pytest_mlgates.verdict import Verdict

RATES = {"r": 0.5, "a": 0.45, "b": 0.5, "c": 0.45}
ERRORS = 0.001
REQUESTS = 1_000
COUNTED = ("auc", "slices", "di", "di champion", "skew")


def group_sizes(n: int) -> dict[str, int]:
    return {"r": 2 * n // 5, "a": n // 5, "b": n // 5, "c": n // 5}


def one(rng: np.random.Generator, n: int, balance: float, correlation: float) -> tuple[set[str], bool]:
    """(the gates of ours that FAIL, does a suite of point rules fail?)"""
    rows = noise(rng, n, balance, correlation)
    first, second = rows.scores(AUC, AUC)
    made = auc.evidence(auc.golden_of(rows.y), first, second)
    slices = parts.judged(rows.y, first, second, parts.ten(rng, n))
    counts = groups.drawn(rng, RATES, group_sizes(n))
    harmed = groups.harmed(first, second, group_sizes(n))
    features = [(rng.normal(size=n), rng.normal(size=n)) for _ in range(skew.FEATURES)]
    latencies = latency.IID[1].latencies(rng, latency.LOOKS[-1], 100.0)
    errors = int(rng.binomial(REQUESTS, ERRORS))
    failed = {
        "auc": not_worse_than(auc.MARGIN)(made).verdict is Verdict.FAIL,
        "slices": bool(parts.named(slices)),
        "di": groups.verdict(counts) is Verdict.FAIL,
        "di champion": harmed,
        "skew": any(skew.fails(*pair) for pair in features),
        "latency": latency.outcome(latencies)[0] is Verdict.FAIL,
        "errors": at_most(0.01)(error_rate(errors, REQUESTS)).verdict is Verdict.FAIL,
    }
    usual = (
        auc.point(made) < -auc.MARGIN
        or bool(parts.usual_alarms(slices))
        or not groups.usual(counts)
        or any(skew.usual_fails(*pair) for pair in features)
        or bool(np.quantile(latencies[:100], 0.99) > latency.LIMIT)
    )
    return {name for name, is_so in failed.items() if is_so}, usual


def run(repeats: int, seed: int, sizes: Sequence[int] = auc.SIZES) -> list[Goal]:
    """The worst n, pooled over balance and correlation."""
    worst = (-1.0, 0.0, "")
    cells = list(product(auc.BALANCES, auc.CORRELATIONS))
    each = max(repeats // len(cells), 1)
    for n in sizes:
        rng = np.random.default_rng([seed, n])
        said = [one(rng, n, *cell) for cell in cells for _ in range(each)]
        by_gate = {name: sum(name in failed for failed, _ in said) for name in COUNTED}
        words = ", ".join(f"{name} {count}" for name, count in by_gate.items() if count)
        ours, usual = (sum(map(bool, part)) / len(said) for part in zip(*said, strict=True))
        worst = max(worst, (ours, usual, f"n={n:,}: {words} of {len(said)}"))
    trials = each * len(cells)
    return [Goal("suite: fails when nothing changed, worst n", worst[0], 0.05, worst[1], trials, remark=worst[2])]

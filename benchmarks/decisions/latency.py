"""p99 of 200 ms at sequential looks: independent answers, and answers that are slow in bursts."""

from __future__ import annotations

import numpy as np

from decisions.goals import Goal
from decisions.truth import Floats, Traffic
from pytest_mlgates.measure.load.quantile import LOOKS, latency_at_look
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

LIMIT = 200.0
IID = (Traffic("iid, light tail", sigma=0.4), Traffic("iid, heavy tail", sigma=1.0))
BURSTY = (
    Traffic("bursts of 20, 10 % of the time", 0.10, 20, 3.0, 0.7),
    Traffic("bursts of 20, 5 % of the time", 0.05, 20, 3.0, 0.4),
    Traffic("bursts of 50, 10 % of the time", 0.10, 50, 3.0, 0.7),
)
#: Half of its windows of 1,000 requests hold no burst at all: shown, but no method can know.
RARE = Traffic("bursts of 20, 2 % of the time", 0.02, 20, 4.0, 0.4)


def outcome(latencies: Floats, limit: float = LIMIT) -> tuple[Verdict, int]:
    """(verdict, requests used) of the sequential measurement."""
    for look, n in enumerate(LOOKS):
        verdict = at_most(limit)(latency_at_look(latencies[:n], look)).verdict
        if verdict is not Verdict.INCONCLUSIVE:
            return verdict, n
    return Verdict.INCONCLUSIVE, LOOKS[-1]


def cell(rng: np.random.Generator, repeats: int, traffic: Traffic, p99: float) -> tuple[float, float, float]:
    """(share that passes, share the usual rule passes on 100 requests, mean requests used)."""
    passed = usual = used = 0
    for _ in range(repeats):
        latencies = traffic.latencies(rng, LOOKS[-1], p99)
        verdict, n = outcome(latencies)
        passed += verdict is Verdict.PASS
        used += n
        usual += bool(np.quantile(latencies[:100], 0.99) <= LIMIT)
    return passed / repeats, usual / repeats, used / repeats


def run(repeats: int, seed: int) -> list[Goal]:
    def worst(kinds: tuple[Traffic, ...], p99: float) -> tuple[float, float, str]:
        rng = np.random.default_rng([seed, round(p99)])
        return max((*cell(rng, repeats, traffic, p99)[:2], traffic.name) for traffic in kinds)

    rng = np.random.default_rng([seed, 100])
    fast = [cell(rng, repeats, traffic, 100.0) for traffic in (*IID, BURSTY[0])]
    at_bound, slow, rare = worst(IID, LIMIT), worst(BURSTY, 300.0), worst((RARE,), 250.0)
    used = sum(figures[2] for figures in fast) / len(fast)
    return [
        Goal("p99: pass at the bound, iid, worst", at_bound[0], 0.06, at_bound[1], repeats, remark=at_bound[2]),
        Goal("p99: pass at 300 ms, bursty, worst", slow[0], 0.10, slow[1], repeats, remark=slow[2]),
        Goal("p99: requests to pass at 100 ms, mean", used, 1_700, None, repeats, share=False),
        Goal("p99: pass at 250 ms, rare bursts", rare[0], None, rare[1], repeats, remark=rare[2]),
    ]

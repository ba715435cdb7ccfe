"""p99 at planned looks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_mlgates.measure.load.quantile import LOOKS, SPENT, design_effect, error_rate, latency_at_look
from pytest_mlgates.rules import at_most
from pytest_mlgates.stats.order import quantile_bounds
from pytest_mlgates.verdict import Verdict

RNG = np.random.default_rng(4)


def spread_out(n: int) -> np.ndarray:
    """1, 2, ... n ms, the slow ones one a block: a design effect of 1."""
    return np.arange(1.0, n + 1).reshape(50, -1).T.reshape(-1)


def test_independent_requests_give_the_exact_order_statistics() -> None:
    for look, n in enumerate(LOOKS):
        values = spread_out(n)
        assert design_effect(values) == 1
        found = latency_at_look(values, look)
        low, high = quantile_bounds(values, 0.99, 1 - 2 * 0.05 * SPENT[look])
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == (low, high)


def test_looking_often_spends_no_more_than_alpha() -> None:
    assert math.fsum(SPENT) == 1 and len(SPENT) == len(LOOKS)


def test_too_few_requests_bound_nothing_from_above() -> None:
    short = latency_at_look(RNG.exponential(10, 298), 0)
    assert short.interval is not None and short.interval.high == math.inf
    assert at_most(1e9)(short).verdict is Verdict.INCONCLUSIVE


def test_bursts_widen_the_interval() -> None:
    calm = RNG.exponential(10, 10_000)
    bursty = calm.copy()
    bursty[2000:2100] = 500.0 + np.arange(100)
    mixed = RNG.permutation(bursty)
    assert design_effect(mixed) < 1.6 < 10 < design_effect(bursty)
    one, other = latency_at_look(mixed, 2), latency_at_look(bursty, 2)
    assert one.interval is not None and other.interval is not None
    assert one.value == other.value
    assert other.interval.high > one.interval.high and other.interval.low < one.interval.low
    assert other.details["effective_requests"] == pytest.approx(10_000 / design_effect(bursty))


def test_constant_answers_are_proven() -> None:
    assert design_effect(np.full(1000, 5.0)) == 1
    assert at_most(5.0)(latency_at_look(np.full(1000, 5.0), 0)).verdict is Verdict.PASS
    assert at_most(4.9)(latency_at_look(np.full(1000, 5.0), 0)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("errors", "requests", "verdict"),
    [
        (0, 298, Verdict.INCONCLUSIVE),
        (0, 299, Verdict.PASS),
        (1, 299, Verdict.INCONCLUSIVE),
        (10, 299, Verdict.FAIL),
    ],
)
def test_none_in_299_proves_one_percent(errors: int, requests: int, verdict: Verdict) -> None:
    assert at_most(0.01)(error_rate(errors, requests)).verdict is verdict

"""Memory a request leaves behind: the trend itself, and the asking around it, with memory that is known."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.load.memory import left_behind
from pytest_mlgates.measure.load.memory_trend import STEP, left_a_request
from pytest_mlgates.policy import Memory
from pytest_mlgates.ports import Call
from pytest_mlgates.rules import at_most
from pytest_mlgates.stats.growth import LEAST, trend
from pytest_mlgates.verdict import Verdict

MB = 2.0**20
POLICY = Memory(requests=14_000, connections=1)


# The trend.


@given(st.integers(LEAST, 60), st.floats(-10, 10), st.floats(-1000, 1000), st.integers(0, 100), st.integers(0, 2**32))
def test_a_line_with_one_step_is_told_apart(n: int, slope: float, step: float, place: int, seed: int) -> None:
    at = 2 + place % (n - 3)
    noise = np.random.default_rng(seed).normal(0, 1e-6, n)
    found = trend(slope * np.arange(n) + step * (np.arange(n) >= at) + noise, 0.05)
    assert found.slope == pytest.approx(slope, abs=1e-4)
    assert found.low <= found.slope <= found.high


@given(st.lists(st.floats(-1e9, 1e9), min_size=LEAST, max_size=30), st.floats(-1e6, 1e6))
def test_the_trend_does_not_care_where_zero_is(levels: list[float], more: float) -> None:
    one, other = trend(np.array(levels), 0.05), trend(np.array(levels) + more, 0.05)
    assert one.slope == pytest.approx(other.slope, rel=1e-3, abs=1e-3)


def test_the_interval_holds_the_truth_as_often_as_it_says_also_for_noise_that_follows_itself() -> None:
    rng = np.random.default_rng(1)
    for keeps, least in ((0.0, 0.95), (0.5, 0.90)):
        inside = 0
        for _ in range(400):
            noise = rng.normal(size=30)
            for place in range(1, 30):
                noise[place] += keeps * noise[place - 1]
            found = trend(0.1 * np.arange(30) + noise + 5 * (np.arange(30) >= rng.integers(2, 28)), 0.05)
            inside += found.low <= 0.1 <= found.high
        assert inside / 400 >= least - 0.03


def test_too_few_levels_have_no_trend() -> None:
    with pytest.raises(ValueError, match="a trend needs 8 levels or more, not 7"):
        trend(np.zeros(7), 0.05)


# Readings as a verdict.


def verdict(readings: Any, limit: float = 512) -> tuple[Verdict, str]:
    finding = at_most(limit)(left_a_request(list(readings), "", limit, 0.05 / 3))
    return finding.verdict, finding.sentence


def readings(leak: float, requests: int = 20_000) -> Any:
    """After a warm-up of 20 MB, with a jitter of 0.2 MB."""
    after = np.arange(1, requests // STEP + 1) * STEP
    jitter = np.random.default_rng(3).normal(0, 0.2 * MB, len(after))
    return 200 * MB + 20 * MB * (1 - np.exp(-after / 800)) + leak * after + jitter


def test_what_warms_up_and_stays_passes_and_what_leaks_fails() -> None:
    assert verdict(readings(0))[0] is Verdict.PASS
    assert verdict(readings(1024))[0] is Verdict.FAIL
    assert verdict(readings(512))[0] is Verdict.INCONCLUSIVE


def test_one_step_is_no_leak() -> None:
    stepped = readings(0)
    stepped[250:] += 30 * MB
    assert verdict(stepped)[0] is Verdict.PASS


def test_a_rise_that_falls_again_is_not_called_a_leak() -> None:
    sawtooth = readings(2048)
    sawtooth[350:] -= 30 * MB
    said, sentence = verdict(sawtooth)
    assert said is Verdict.INCONCLUSIVE
    assert "a request and falls again" in sentence


def test_few_requests_prove_nothing() -> None:
    assert verdict(readings(0, 5000)) == (
        Verdict.INCONCLUSIVE,
        "memory a request leaves behind: 5,000 requests say nothing of a leak, which takes 6,667 or more",
    )


# Asking.


class Fake:
    """An endpoint and its meter in one: memory grows by `leak` a request."""

    name, wire, verify_tls, ca, processes = "it", "mlflow", True, "", (1,)
    remark = "no card here"

    def __init__(self, leak: float = 0.0, wrong_from: int = 10**9, graphics: float | None = None) -> None:
        self.leak, self.wrong_from, self.card = leak, wrong_from, graphics
        self.asked = 0

    def call(self, rows: pd.DataFrame) -> Call:
        return Call("http://it", b"")

    def exchange(self, call: Call, rows: int) -> list[Any]:
        self.asked += 1
        if self.asked > self.wrong_from:
            raise CouldNotEvaluate("it: HTTP 500")
        return [0.5]

    def resident(self) -> float:
        return 200 * MB + self.leak * self.asked

    def graphics(self) -> float | None:
        return None if self.card is None else 100 * MB + self.card * self.asked


class Golden(SimpleNamespace):
    def __len__(self) -> int:
        return 10


def seen(fake: Any, say: Callable[[str], None] = lambda _: None, policy: Memory = POLICY) -> list[Any]:
    golden: Any = Golden(X=pd.DataFrame({"x": np.arange(10.0)}))
    return left_behind(fake, fake, golden, policy, say)


def test_a_clean_endpoint_is_done_at_the_first_look() -> None:
    fake, said = Fake(), list[str]()
    [evidence] = seen(fake, said.append)
    assert at_most(512)(evidence).verdict is Verdict.PASS
    assert fake.asked == evidence.n == 7000
    assert said[-1] == "7,000 of up to 14,000 requests, 200 MB"
    assert evidence.details["graphics"] == "no card here"


def test_a_leak_fails_after_the_last_look() -> None:
    fake = Fake(leak=1024)
    [evidence] = seen(fake)
    assert at_most(512)(evidence).verdict is Verdict.FAIL
    assert evidence.value == pytest.approx(1024)
    assert fake.asked == 14_000


def test_graphics_memory_is_judged_beside() -> None:
    main, card = seen(Fake(graphics=1024))
    assert (main.where, card.where) == ("", "graphics memory")
    assert at_most(512)(main).verdict is Verdict.PASS
    assert at_most(512)(card).verdict is Verdict.FAIL


def test_errors_say_nothing_of_memory() -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        seen(Fake(wrong_from=3000))
    assert str(raised.value) == (
        "50 of 3,050 answers were wrong, and memory of errors says nothing; the first: it: HTTP 500"
    )


def test_time_that_runs_out_proves_nothing() -> None:
    [evidence] = seen(Fake(), policy=POLICY.model_copy(update={"within": 1e-9}))
    assert at_most(512)(evidence).verdict is Verdict.INCONCLUSIVE

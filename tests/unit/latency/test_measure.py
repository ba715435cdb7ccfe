"""Looks, evidence and their end, on a load run that only exists in the test."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.latency import Seen, payloads, under_load
from pytest_mlgates.measure.load.looks import Look, block, looks
from pytest_mlgates.measure.load.quantile import LOOKS
from pytest_mlgates.measure.load.samples import errors, histogram, slowness, unbelievable
from pytest_mlgates.policy import Latency
from pytest_mlgates.ports import Call, LoadPlan, Samples
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

SPREAD = Latency(rate=100, seconds=0, payloads=3)


def golden(rows: int = 20) -> GoldenSet:
    return GoldenSet(
        X=pd.DataFrame({"x": np.arange(rows, dtype=float)}),
        y=np.arange(rows) % 2,
        sensitive=pd.DataFrame(index=range(rows)),
        weight=None,
        group=None,
        version="v",
        path=Path("golden.csv"),
        classes=(0, 1),
    )


class FakeEndpoint:
    processes = ()
    wire, verify_tls, ca = "mlflow", False, "ca.pem"

    def __init__(self, name: str) -> None:
        self.name = name

    def call(self, rows: Any) -> Call:
        return Call(f"http://{self.name}", repr(rows.x.tolist()).encode())

    def answer(self, rows: Any) -> Any:
        return rows.x.to_numpy() / 2


class FakeLoad:
    """`times(name, n)` are the ms that each request of that target takes; `rate` answers a second come in."""

    def __init__(self, times: Callable[[str, int], Any], *, until: int = 10**9, late: float = 0.0, busy: float = 0.1):
        self.times, self.until, self.late, self._busy = times, until, late, busy
        self.plan: LoadPlan | None = None
        self.said: list[str] = []
        self.stopped = 0

    def start(self, plan: LoadPlan) -> FakeLoad:
        self.plan = plan
        return self

    def samples(self, requests: int, within: float) -> dict[str, Samples]:
        assert self.plan is not None
        n = min(requests, self.until)
        due = 2.0 + np.arange(n) / self.plan.rate
        found = {}
        for target in self.plan.targets:
            times = np.asarray(self.times(target.name, n), float)
            fault = np.where(np.isnan(times), "HTTP 503", "")
            done = due + np.nan_to_num(times, nan=1.0) / 1000
            found[target.name] = Samples(due, due + self.late / 1000, done, fault)
        return found

    def busy(self) -> float:
        return self._busy

    def stop(self) -> None:
        self.stopped += 1


def spread(low: float, high: float) -> Callable[[str, int], Any]:
    """Times from low to high ms, the slow ones one a block: a design effect of 1."""
    return lambda name, n: np.linspace(low, high, n).reshape(50, -1).T.reshape(-1)


def seen(load: FakeLoad, policy: Latency = SPREAD, *, champion: bool = True) -> list[Seen]:
    beside = FakeEndpoint("champion") if champion else None
    with under_load(load, golden(), FakeEndpoint("challenger"), beside, policy, load.said.append) as found:
        return list(found)


def gate_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_latency", Path(__file__).parents[3] / "gates" / "latency.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# When a verdict may be taken.


def test_the_usual_looks_where_requests_are_spread_over_time_anyway() -> None:
    assert looks(Latency(rate=30)) == tuple(Look(index, n) for index, n in enumerate(LOOKS) if n <= 17_640)
    assert looks(Latency(rate=50, seconds=0)) == tuple(Look(index, n) for index, n in enumerate(LOOKS))


def test_a_pass_rests_on_the_seconds_asked_for() -> None:
    """At 200 a second the first look at 1,000 would be over between two stalls."""
    assert looks(Latency(rate=200)) == (Look(1, 6_000), Look(2, 10_000), Look(3, 20_000))
    assert looks(Latency(rate=5_000)) == (Look(3, 150_000),)


any_policy = st.builds(
    Latency.model_construct, rate=st.floats(2, 5000), seconds=st.floats(0, 100), most=st.integers(1000, 10**5)
)


@given(any_policy)
def test_no_look_is_too_early_or_spends_what_another_spent(policy: Latency) -> None:
    planned = looks(policy)
    assert planned and planned[0].requests >= max(1000, policy.rate * policy.seconds)
    assert [one.index for one in planned] == sorted({one.index for one in planned})
    assert [one.requests for one in planned] == sorted({one.requests for one in planned})
    assert all(one.requests <= max(policy.most, planned[0].requests) for one in planned)


def test_blocks_hold_a_second_but_leave_twenty_of_them() -> None:
    assert block(Latency(rate=20), 1_000) == block(Latency(rate=200, seconds=0), 1_000) == 50
    assert block(Latency(rate=200), 6_000) == 200
    assert block(Latency(rate=1_000), 3_000) == 150


# What is sent.


def test_payloads_are_golden_rows_without_label_drawn_with_the_seed() -> None:
    one, other = (payloads(golden(), Latency(payloads=4, rows=2, seed=seed)) for seed in (1, 2))
    assert [list(frame.columns) for frame in one] == [["x"]] * 4
    assert [len(frame) for frame in one] == [2] * 4
    again = payloads(golden(), Latency(payloads=4, rows=2, seed=1))
    assert all(a.equals(b) for a, b in zip(one, again, strict=True))
    assert not all(a.equals(b) for a, b in zip(one, other, strict=True))
    assert len({x for frame in one for x in frame.x}) == 8
    assert len(payloads(golden(3), Latency(payloads=50))) == 50


def test_the_plan_holds_both_endpoints_and_what_they_answer_alone() -> None:
    load = FakeLoad(spread(1, 50))
    seen(load)
    assert load.plan is not None
    assert [target.name for target in load.plan.targets] == ["challenger", "champion"]
    first = load.plan.targets[0]
    rows = [frame.x.tolist() for frame in payloads(golden(), SPREAD)]
    assert [call.body for call in first.calls] == [repr(row).encode() for row in rows]
    assert list(first.answers) == [[row[0] / 2] for row in rows]
    assert (first.wire, first.verify_tls, first.ca) == ("mlflow", False, "ca.pem")
    assert (load.plan.rate, load.plan.seed, load.plan.timeout) == (100, 0, 10)
    assert load.stopped == 1


def test_models_that_answer_differently_each_time_are_not_compared() -> None:
    load = FakeLoad(spread(1, 50))
    seen(load, SPREAD.model_copy(update={"same_answers": False}))
    assert load.plan is not None and load.plan.targets[0].answers == ()


# What is seen.


def test_every_look_is_seen_until_the_last_which_is_final() -> None:
    load = FakeLoad(spread(1, 200.5))
    found = seen(load)
    assert [one.challenger.p99.n for one in found] == list(LOOKS)
    assert [one.final for one in found] == [False, False, False, True]
    assert [one.challenger.p99.details["look"] for one in found] == [0, 1, 2, 3]


def test_progress_is_told_at_each_wait() -> None:
    load = FakeLoad(spread(1, 100))
    seen(load)
    assert load.said[0] == "asking each payload once, without load"
    assert load.said[1] == "1,000 of 1,000 requests, p50 50.5 ms, p99 99.0 ms"


def test_time_that_is_up_ends_with_the_last_look_taken() -> None:
    policy = SPREAD.model_copy(update={"within": 0.05, "rate": 1e6, "warm_up": 0.0, "timeout": 0.0})
    found = seen(FakeLoad(spread(1, 100), until=2_000), policy)
    assert [(one.challenger.p99.n, one.final) for one in found] == [(1000, False), (1000, True)]


def test_time_that_is_up_before_the_first_look_is_an_error() -> None:
    policy = SPREAD.model_copy(update={"within": 0.01})
    load = FakeLoad(spread(1, 100), until=500)
    with pytest.raises(CouldNotEvaluate, match="500 of 1,000 requests were answered or given up"):
        seen(load, policy)
    assert load.stopped == 1


def test_evidence_counts_every_request_with_the_time_it_took() -> None:
    times = np.full(1000, 10.0)
    times[:5], times[5:10] = 5_000.0, np.nan
    load = FakeLoad(lambda name, n: times)
    (first, *_) = seen(load, Latency(rate=100, seconds=0, most=1000, payloads=1))
    p99, rate = first.challenger.p99, first.challenger.errors
    assert (p99.n, p99.value, p99.unit, p99.where) == (1000, pytest.approx(10.0), " ms", "")
    assert p99.details["quantiles_ms"]["p99.9"]["value"] == pytest.approx(5_000)
    assert p99.details["faults"] == {"HTTP 503": 5}
    assert p99.details["seconds"] == pytest.approx(9.99)
    assert (rate.value, rate.n, rate.details["faults"]) == (0.005, 1000, {"HTTP 503": 5})
    assert first.champion is not None and first.champion.p99.where == "champion"


def test_a_part_of_alpha_is_spent_at_each_look() -> None:
    load = FakeLoad(lambda name, n: np.full(n, 5.0))
    for one in seen(load):
        assert one.challenger.errors.interval is not None
        assert one.challenger.errors.interval.level == pytest.approx(1 - 2 * 0.05 / 4)


@given(st.lists(st.floats(1e-6, 1e7), min_size=1, max_size=300))
def test_the_histogram_holds_every_request_in_sixty_bins_at_most(times: list[float]) -> None:
    found = histogram(np.array(times))
    assert sum(found["counts"]) == len(times)
    assert len(found["counts"]) <= 60 and len(found["edges"]) == len(found["counts"]) + 1
    assert found["edges"] == sorted(found["edges"])


# Whom to believe.


@pytest.mark.parametrize(
    ("late", "busy", "p99_ms", "why"),
    [
        (4.9, 0.5, 100, ""),
        (5.1, 0.5, 100, "the load generator sent 1 % of its requests 5.1 ms or more late (5 allowed): "),
        (5.1, 0.5, 1000, ""),
        (
            25.1,
            0.5,
            1000,
            "the load generator sent 1 % of its requests 25.1 ms or more late (25 allowed): ",
        ),
        (0.0, 0.96, 100, "the load generator used 96 % of its core, so its times are not the endpoint's: "),
    ],
)
def test_a_late_or_starved_generator_is_not_believed(late: float, busy: float, p99_ms: float, why: str) -> None:
    policy = Latency(rate=100, seconds=0, p99_ms=p99_ms, payloads=1)
    load = FakeLoad(lambda name, n: np.full(n, 30.0), late=late, busy=busy)
    first = seen(load, policy)[0]
    assert first.challenger.p99.cannot_say.startswith(why) and bool(first.challenger.p99.cannot_say) == bool(why)
    expected = Verdict.INCONCLUSIVE if why else Verdict.PASS
    for evidence, limit in ((first.challenger.p99, p99_ms), (first.challenger.errors, 0.01)):
        assert at_most(limit)(evidence).verdict is expected


def test_it_would_fail_or_pass_if_it_were_believed() -> None:
    """The guard is what makes the difference, in both directions."""
    policy = Latency(rate=100, seconds=0, payloads=1)
    for times, verdict in ((5.0, Verdict.PASS), (500.0, Verdict.FAIL)):
        samples = FakeLoad(lambda name, n, t=times: np.full(n, t), late=50)
        samples.start(LoadPlan((), 100))
        due = np.arange(1000) / 100
        one = Samples(due, due + 0.05, due + times / 1000, np.full(1000, ""))
        look = Look(0, 1000)
        assert at_most(200)(slowness(one, look, policy, "")).verdict is verdict
        distrust = unbelievable(one, 0.1, policy)
        assert at_most(200)(slowness(one, look, policy, distrust)).verdict is Verdict.INCONCLUSIVE
        assert at_most(0.01)(errors(one, look, policy, distrust)).verdict is Verdict.INCONCLUSIVE


# When to stop, and whom to blame.

GATE = gate_module()


def stopped_at(load: FakeLoad, policy: Latency = SPREAD, *, champion: bool = True) -> Seen:
    found = seen(load, policy, champion=champion)
    stopped: Seen = next(one for one in found if one.final or GATE.decided(one, policy))
    return stopped


def test_it_stops_at_the_first_look_that_decides() -> None:
    for high in (100, 400):
        assert stopped_at(FakeLoad(spread(1, high))).challenger.p99.n == 1000
    assert stopped_at(FakeLoad(spread(1, 201))).challenger.p99.n > 1000


def test_a_failure_waits_until_the_champion_is_settled_too() -> None:
    """Else chance would decide whether the challenger or the machine is blamed."""
    slow, unsettled = spread(1, 400), spread(1, 202)
    load = FakeLoad(lambda name, n: (slow if name == "challenger" else unsettled)(name, n))
    assert stopped_at(load).challenger.p99.n > 1000
    assert stopped_at(FakeLoad(slow), champion=False).challenger.p99.n == 1000


def test_a_generator_that_is_late_ends_it() -> None:
    assert stopped_at(FakeLoad(spread(1, 201), late=50)).challenger.p99.n == 1000


@pytest.mark.parametrize(
    ("champion", "verdict"), [(100.0, "FAIL"), (201.5, "FAIL"), (400.0, "INCONCLUSIVE"), (None, "FAIL")]
)
def test_a_shared_failure_is_not_the_challengers(champion: float | None, verdict: str) -> None:
    highest = {"challenger": 400.0, "champion": champion or 0.0}
    load = FakeLoad(lambda name, n: spread(1, highest[name])(name, n))
    last = stopped_at(load, champion=champion is not None)
    mine, theirs, limit = next(iter(GATE.figures(last, SPREAD)))
    assert GATE.unless_both_fail(theirs, limit)(mine).verdict.name == verdict

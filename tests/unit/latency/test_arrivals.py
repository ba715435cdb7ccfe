"""Plan to arrivals: fixed by the seed, at the rate asked for, and the workers' shares add up to the plan."""

from __future__ import annotations

import heapq
import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adapters.load.arrivals import arrivals
from pytest_mlgates.ports import Call, LoadPlan, LoadTarget

CALLS = tuple(Call(f"http://h/{number}", b"") for number in range(7))


def planned(count: int, plan: LoadPlan, worker: int = 0, workers: int = 1) -> list[tuple[float, int, int]]:
    return list(itertools.islice(arrivals(plan, worker, workers), count))


plans = st.builds(
    LoadPlan,
    targets=st.integers(1, 4).map(lambda n: tuple(LoadTarget(f"t{i}", CALLS, 1, "mlflow") for i in range(n))),
    rate=st.floats(0.5, 5_000),
    arrivals=st.sampled_from(["poisson", "constant"]),
    seed=st.integers(0, 2**32),
)


@given(plans)
def test_arrivals_are_in_order_and_the_seed_fixes_them(plan: LoadPlan) -> None:
    found = planned(200, plan)
    assert found == planned(200, plan)
    assert [due for due, _, _ in found] == sorted(due for due, _, _ in found)
    assert {target for _, target, _ in found} == set(range(len(plan.targets)))


@given(plans, st.integers(1, 5))
def test_every_payload_is_sent_in_turn(plan: LoadPlan, workers: int) -> None:
    shares = [planned(300 * len(plan.targets), plan, worker, workers) for worker in range(workers)]
    for target in range(len(plan.targets)):
        sent = [[call for _, one, call in share if one == target][:70] for share in shares]
        counts = [sum(calls.count(call) for calls in sent) for call in range(len(CALLS))]
        assert all(len(calls) == 70 for calls in sent)
        assert counts == [10 * workers] * len(CALLS)


@given(plans, st.integers(1, 5))
def test_constant_arrivals_of_all_workers_are_evenly_spaced(plan: LoadPlan, workers: int) -> None:
    plan = LoadPlan(plan.targets, plan.rate, "constant", seed=plan.seed)
    shares = [arrivals(plan, worker, workers) for worker in range(workers)]
    merged = list(itertools.islice(heapq.merge(*shares), 60 * len(plan.targets)))
    for target in range(len(plan.targets)):
        due = [one for one, name, _ in merged if name == target][:50]
        assert all(math.isclose(b - a, 1 / plan.rate, rel_tol=1e-6) for a, b in itertools.pairwise(due))


@given(plans, st.integers(1, 4))
def test_poisson_arrivals_of_all_workers_keep_the_rate(plan: LoadPlan, workers: int) -> None:
    """Of 2,000 exponential gaps the mean is within 12 % of the true one, but for one in ten million."""
    plan = LoadPlan(plan.targets[:1], plan.rate, "poisson", seed=plan.seed)
    merged = heapq.merge(*(arrivals(plan, worker, workers) for worker in range(workers)))
    last = next(itertools.islice(merged, 1999, None))[0]
    assert math.isclose(last * plan.rate, 2000, rel_tol=0.12)


def test_targets_do_not_follow_each_others_steps() -> None:
    targets = tuple(LoadTarget(name, CALLS, 1, "mlflow") for name in ("challenger", "champion"))
    for kind in ("poisson", "constant"):
        found = planned(1000, LoadPlan(targets, 100, kind))  # type: ignore[arg-type]
        assert len({due for due, _, _ in found}) == 1000

"""An endpoint is asked for more than it can do, and then left alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.overload_burst import judged, overloaded
from pytest_mlgates.policy import Overload
from pytest_mlgates.ports import Call, Endpoint, LoadPlan, LoadRunner, LoadTarget, Samples

_PAYLOADS = 50
#: Requests that say how long an answer takes when nothing else is asked.
_CALM = 50
#: Capacity is what so many connections get answered, in seconds.
_CONNECTIONS, _SECONDS = 16, 2.0
#: Back to normal: so many answers in a row, each within so many times the normal, or so many seconds more.
_IN_A_ROW, _TIMES, _MORE = 5, 3.0, 0.05
_WARM_UP = 1.0


def past_capacity(
    load: LoadRunner, endpoint: Endpoint, golden: GoldenSet, policy: Overload, say: Callable[[str], None]
) -> tuple[list[Evidence], Evidence]:
    """(evidence on the burst, seconds until it was back to normal). Raises CouldNotEvaluate."""
    rows = [golden.X.iloc[[row]] for row in range(min(_PAYLOADS, len(golden)))]
    calls = tuple(endpoint.call(row) for row in rows)
    say("asking without load")
    calm = calm_seconds(endpoint, calls)
    say("looking for its capacity")
    capacity = answered_a_second(endpoint, calls)
    target = LoadTarget("endpoint", calls, 1, endpoint.wire, (), endpoint.verify_tls, endpoint.ca)
    rate = min(policy.rate, policy.factor * capacity)
    while True:
        say(f"{rate:,.0f} requests a second, {rate / capacity:.1f} times what it can do")
        samples, busy = _burst(load, target, rate, policy)
        back = seconds_to_normal(endpoint, calls, calm, policy)
        if overloaded(samples, calm, policy) or rate >= policy.rate:
            break
        rate = min(policy.rate, 2 * rate)
    details = {"rate": rate, "capacity": capacity, "calm_ms": calm * 1000}
    if not overloaded(samples, calm, policy):
        why = f"{rate:,.0f} requests a second are not too much for it: raise rate in [tool.mlgates.overload]"
        return [], Evidence("overload", None, len(samples.due), cannot_say=why, details=details)
    whole = math.ceil(back * 1000) / 1000  # nobody asks for microseconds
    recovery = Evidence("seconds until back to normal", whole, _IN_A_ROW, unit=" s", details=details)
    return judged(samples, calm, busy, policy), recovery


def calm_seconds(endpoint: Endpoint, calls: tuple[Call, ...]) -> float:
    """The median time of an answer when one is asked after the other."""
    times = sorted(_timed(endpoint, call) for call in islice(cycle(calls), _CALM))
    return times[len(times) // 2]


def answered_a_second(endpoint: Endpoint, calls: tuple[Call, ...]) -> float:
    """Answers a second to clients that each wait for theirs; refused ones count, for they are answers."""
    deadline = time.monotonic() + _SECONDS

    def ask(number: int) -> int:
        done = 0
        for call in islice(cycle(calls), number, None):
            if time.monotonic() > deadline:
                break
            try:
                endpoint.exchange(call, 1)
                done += 1
            except CouldNotEvaluate:
                continue
        return done

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        answered = sum(pool.map(ask, range(_CONNECTIONS)))
    if not answered:
        raise CouldNotEvaluate(f"{endpoint.name} answered nothing right to {_CONNECTIONS} clients at once")
    return answered / _SECONDS


def seconds_to_normal(endpoint: Endpoint, calls: tuple[Call, ...], calm: float, policy: Overload) -> float:
    """Seconds until several answers in a row are right and as fast as before; twice the limit when they never are."""
    began, in_a_row = time.monotonic(), 0
    first = began
    for call in cycle(calls):
        asked = time.monotonic()
        if asked - began > 2 * policy.recover_s:
            break
        if in_a_row == 0:
            first = asked
        try:
            fine = _timed(endpoint, call) <= max(_TIMES * calm, calm + _MORE)
        except CouldNotEvaluate:
            fine = False
        in_a_row = in_a_row + 1 if fine else 0
        if in_a_row == _IN_A_ROW:
            return first - began
    return 2 * policy.recover_s


def _burst(load: LoadRunner, target: LoadTarget, rate: float, policy: Overload) -> tuple[Samples, float]:
    timeout = 2 * policy.wait_s
    run = load.start(LoadPlan((target,), rate, "poisson", _WARM_UP, timeout))
    try:
        wanted = max(1, round(rate * policy.burst_s))
        samples = run.samples(wanted, policy.burst_s * 1.5 + _WARM_UP + timeout + 60)[target.name]
        busy = run.busy()
    finally:
        run.stop()
    if len(samples.due) < wanted / 2:
        raise CouldNotEvaluate(f"only {len(samples.due)} of {wanted} requests of the burst were sent and ended")
    return samples, busy


def _timed(endpoint: Endpoint, call: Call) -> float:
    began = time.monotonic()
    endpoint.exchange(call, 1)
    return time.monotonic() - began

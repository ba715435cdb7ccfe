"""An endpoint is asked again and again, and its memory is watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.memory_trend import STEP, left_a_request
from pytest_mlgates.policy import Memory
from pytest_mlgates.ports import Call, Endpoint, Meter

#: Looks, as shares of all requests. Each may pass; only the last one fails, for a server may warm up for long.
LOOKS = (0.5, 0.75, 1.0)
_PAYLOADS = 100
#: So many wrong answers at the start end it; later it is the policy's share.
_FAULTS = 20


def left_behind(
    endpoint: Endpoint, meter: Meter, golden: GoldenSet, policy: Memory, say: Callable[[str], None]
) -> list[Evidence]:
    """Bytes that a request leaves behind in main memory, and in graphics memory where some is used.

    Ends at the first look that proves all of it below the policy's limit. Raises CouldNotEvaluate when the processes
    go away meanwhile or more answers are wrong than the policy bears.
    """
    looks = {round(share * policy.requests / STEP) for share in LOOKS}
    resident: list[float] = []
    graphics: list[float | None] = []
    evidence: list[Evidence] = []
    deadline = time.monotonic() + policy.within
    for steps in _asked(endpoint, golden, policy):
        resident.append(meter.resident())
        graphics.append(meter.graphics())
        say(f"{steps * STEP:,} of up to {policy.requests:,} requests, {resident[-1] / 2**20:,.0f} MB")
        late = time.monotonic() > deadline
        if steps in looks or late:
            evidence = _seen(resident, graphics, meter, policy)
            if late or all(_below(one, policy.leak) for one in evidence):
                break
    return evidence


def _seen(resident: list[float], graphics: list[float | None], meter: Meter, policy: Memory) -> list[Evidence]:
    alpha = policy.alpha / len(LOOKS)
    first = left_a_request(resident, "", policy.leak, alpha)
    held = [one for one in graphics if one is not None]
    if held:
        # Where it came into use only later, it held nothing before.
        second = left_a_request([one or 0.0 for one in graphics], "graphics memory", policy.leak, alpha)
        return [first, second]
    return [replace(first, details={**first.details, "graphics": meter.remark})]


def _asked(endpoint: Endpoint, golden: GoldenSet, policy: Memory) -> Iterator[int]:
    """Asks, and yields the number of steps so far whenever a step is answered and nobody is waiting."""
    payloads = [golden.X.iloc[[row]] for row in range(min(_PAYLOADS, len(golden)))]
    calls = cycle([endpoint.call(payload) for payload in payloads])
    wrong: list[str] = []

    def ask(call: Call) -> None:
        try:
            endpoint.exchange(call, 1)
        except CouldNotEvaluate as problem:
            wrong.append(str(problem))

    with ThreadPoolExecutor(policy.connections) as pool:
        for steps in range(1, policy.requests // STEP + 1):
            list(pool.map(ask, islice(calls, STEP)))
            if len(wrong) > max(_FAULTS, policy.errors * steps * STEP):
                raise CouldNotEvaluate(
                    f"{len(wrong)} of {steps * STEP:,} answers were wrong, and memory of errors says nothing; the "
                    f"first: {wrong[0]}"
                )
            yield steps


def _below(evidence: Evidence, limit: float) -> bool:
    return evidence.interval is not None and not evidence.cannot_say and evidence.interval.high <= limit

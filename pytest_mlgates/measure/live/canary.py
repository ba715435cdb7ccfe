"""Does the live endpoint answer golden rows right, now?"""

from __future__ import annotations

import time
from collections.abc import Callable

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.golden_record import Compared, record_deviation
from pytest_mlgates.pins import Pins
from pytest_mlgates.policy import Canary
from pytest_mlgates.settings import Settings


def canary(served: Callable[[], Compared | None], policy: Canary, pins: Pins, settings: Settings) -> Evidence:
    """The least deviation of `tries`: one right answer is enough. Raises CouldNotEvaluate without an endpoint.

    While what serves is still following a change of champion nobody can say.
    """
    if not settings.endpoint.champion_url:
        raise CouldNotEvaluate(
            "no live endpoint: write champion_url in [tool.mlgates.endpoint]; a server of our own would prove nothing"
        )
    now = time.time()
    since, burn_in = pins.past.since, settings.slo.burn_in_s
    if since is not None and now - since < burn_in:
        why = f"the champion was changed {max(0.0, now - since):.0f} s ago (burn-in is {burn_in:.0f} s)"
        return Evidence("deviation of the live endpoint", None, cannot_say=why)
    model = served()
    if model is None:
        raise CouldNotEvaluate("there is no champion to compare the endpoint with")
    found = record_deviation(model, policy.records)
    for _ in range(policy.tries - 1):
        if found.value is not None and found.value <= policy.tolerance:
            break
        time.sleep(policy.pause_s)
        again = record_deviation(model, policy.records)
        found = min(found, again, key=lambda one: float("inf") if one.value is None else one.value)
    return found

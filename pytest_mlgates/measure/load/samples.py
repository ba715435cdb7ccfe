"""Raw samples of one target as evidence: quantiles, errors, and whether the generator can be believed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.load.looks import Look, block
from pytest_mlgates.measure.load.quantile import SPENT, error_rate, latency_at_look
from pytest_mlgates.policy import Latency
from pytest_mlgates.ports import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = (0.5, 0.9, 0.99, 0.999)
#: p99 of how late requests were sent, as a share of the limit on p99, and in ms what is always tolerated.
LATE_SHARE, LATE_MS = 0.025, 5.0
#: A process that uses this much of its core has no time left to be punctual.
BUSY = 0.95
_BINS = 50


def milliseconds(samples: Samples) -> NDArray[Any]:
    """(n,) from the intended sending to the end of the answer, right or wrong, in order of intended sending."""
    times: NDArray[Any] = (samples.done - samples.due) * 1000
    return times


def slowness(samples: Samples, look: Look, policy: Latency, distrust: str) -> Evidence:
    """p99 with its interval at this look; the other quantiles, a histogram, faults and lateness are in the details.

    Every request counts with the time it took, so one that was given up counts as slow, and one that was refused at
    once does not hide: the share of errors is judged too. `distrust` is why the generator cannot be believed, or "".
    """
    times = milliseconds(samples)
    figures = {f"p{100 * q:g}": _at(times, look, q, policy) for q in QUANTILES}
    judged = figures["p99"]
    return Evidence(
        "p99",
        judged.value,
        judged.n,
        judged.interval,
        unit=" ms",
        cannot_say=distrust,
        details={
            **judged.details,
            "quantiles_ms": {
                name: {"value": one.value, "low": one.interval.low, "high": one.interval.high}
                for name, one in figures.items()
                if one.interval is not None
            },
            "histogram": histogram(times),
            "faults": dict(Counter(map(str, samples.fault[samples.fault != ""]))),
            "late_ms": lateness(samples),
            "seconds": float(samples.due[-1] - samples.due[0]),
            "rate": policy.rate,
            "arrivals": policy.arrivals,
            "warm_up_left_out": policy.warm_up,
            "seed": policy.seed,
        },
    )


def errors(samples: Samples, look: Look, policy: Latency, distrust: str) -> Evidence:
    """The share of requests that were answered wrongly, with another status, too late, or not at all."""
    wrong = Counter(map(str, samples.fault[samples.fault != ""]))
    found = error_rate(wrong.total(), len(samples.fault), alpha=policy.alpha * SPENT[look.index])
    details = {"faults": dict(wrong), "look": look.index}
    return Evidence(found.measure, found.value, found.n, found.interval, cannot_say=distrust, details=details)


def lateness(samples: Samples) -> dict[str, float]:
    """How late requests were sent, in ms: p50, p99 and the latest."""
    import numpy as np

    late = (samples.sent - samples.due) * 1000
    return {"p50": float(np.quantile(late, 0.5)), "p99": float(np.quantile(late, 0.99)), "max": float(late.max())}


def unbelievable(samples: Samples, busy: float, policy: Latency) -> str:
    """Why these samples say more of the load generator than of the endpoint, or ""."""
    late = lateness(samples)["p99"]
    limit = max(LATE_MS, LATE_SHARE * policy.p99_ms)
    remedy = "lower rate, give the generator a core of its own, or add workers"
    if late > limit:
        return f"the load generator sent 1 % of its requests {late:.1f} ms or more late ({limit:g} allowed): {remedy}"
    if busy > BUSY:
        return f"the load generator used {100 * busy:.0f} % of its core, so its times are not the endpoint's: {remedy}"
    return ""


def histogram(times: NDArray[Any]) -> dict[str, list[float]]:
    """Counts in at most `_BINS` bins whose edges grow by the same factor, in the unit of `times` (n,)."""
    import numpy as np

    low, high = max(float(times.min()), 1e-3), max(float(times.max()), 1e-3)
    if low >= high:
        return {"edges": [low, high], "counts": [len(times)]}
    edges = np.unique(np.clip(np.geomspace(low, high, _BINS + 1), low, high))
    edges[0], edges[-1] = low, high
    counts, _ = np.histogram(np.clip(times, low, high), edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _at(times: NDArray[Any], look: Look, quantile: float, policy: Latency) -> Evidence:
    return latency_at_look(times, look.index, quantile=quantile, alpha=policy.alpha, block=block(policy, len(times)))

"""Readings of memory, one after every few requests, as bytes that a request leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.stats.growth import LEAST, trend

#: Memory is read after so many requests, when none is under way; the median of so many readings is a level.
STEP, READINGS = 50, 10
#: Share of what was seen so far that is left out as warm-up.
WARM_UP = 0.4
_ENDS = 3
_MB = 2.0**20


def left_a_request(readings: Sequence[float], where: str, limit: float, alpha: float) -> Evidence:
    """Bytes a request with their interval at ``1 - alpha``; `readings` in bytes, one every `STEP` requests."""
    import numpy as np

    requests = len(readings) * STEP
    count = int(len(readings) * (1 - WARM_UP)) // READINGS
    measure = "memory a request leaves behind"
    if count < LEAST:
        least = round(LEAST * READINGS * STEP / (1 - WARM_UP))
        why = f"{requests:,} requests say nothing of a leak, which takes {least:,} or more"
        return Evidence(measure, None, requests, where=where, unit=" B", cannot_say=why)
    levels = np.median(np.reshape(readings[-count * READINGS :], (count, READINGS)), axis=1)
    found = trend(levels, alpha)
    size = STEP * READINGS
    slope, low, high = found.slope / size, found.low / size, found.high / size
    grown = float(np.median(levels[-_ENDS:]) - np.median(levels[:_ENDS])) / (size * (count - _ENDS))
    why = ""
    if low > limit >= grown:
        why = f"memory rises by {slope:,.0f} B a request and falls again, {grown:,.0f} B on the whole"
    details = {
        "megabytes": [round(level / _MB, 2) for level in levels],
        "from": f"the median of {READINGS} readings for every {size} requests, the first {WARM_UP:.0%} left out",
        "step_megabytes": round(found.step / _MB, 2),
        "whole": grown,
    }
    interval = Interval(low, high, 1 - alpha, "line and one step, autocorrelated residuals")
    return Evidence(measure, slope, requests, interval, " B", where, why, details)

"""Is a latency quantile below its limit? Exact binomial bounds at a few planned looks, widened for bursts.

Slow answers come in bursts, so n requests are worth n / d independent ones. The design effect d compares the
variance of block counts of slow answers with the binomial's (Kish 1965). Slow means above the sample's own quantile,
whatever the limit, since bursts that stay below the limit today are the ones that cross it tomorrow. Each look spends
its own part of alpha, so looking again is free. A burst that did not happen while measuring cannot be seen: spread
the requests over time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Requests at which a verdict may be taken.
LOOKS = (1_000, 3_000, 10_000, 20_000)
#: What each look spends of alpha; sums to 1.
SPENT = (0.25, 0.25, 0.25, 0.25)
BLOCK = 50


def latency_at_look(
    latencies: NDArray[Any],
    look: int,
    *,
    quantile: float = 0.99,
    alpha: float = 0.05,
    unit: str = " ms",
    block: int = BLOCK,
) -> Evidence:
    """The quantile of `latencies` (n,), in order of sending, at look 0, 1, 2 or 3; hold it against ``at_most(limit)``.

    PASS or FAIL ends the measurement; INCONCLUSIVE goes on to the next look. `block` is as of `design_effect`.
    """
    import numpy as np

    n = len(latencies)
    effect = design_effect(latencies, quantile, block)
    ranked = np.sort(latencies)
    spent = alpha * SPENT[look]
    over_high, over_low = _exceedances(n, effect, 1 - quantile, spent)
    high = math.inf if over_high < 0 else float(ranked[n - 1 - over_high])
    low = float(ranked[n - over_low]) if over_low <= n else -math.inf
    value = float(ranked[min(math.ceil(quantile * n) - 1, n - 1)])
    interval = Interval(min(low, value), high, 1 - 2 * spent, f"order statistics, look {look + 1} of {len(LOOKS)}")
    details = {"design_effect": effect, "effective_requests": n / effect, "look": look}
    name = f"p{100 * quantile:g}"
    return Evidence(name, value, n, interval, unit=unit, details=details)


def error_rate(errors: int, requests: int, *, alpha: float = 0.05) -> Evidence:
    """The share of failed requests with its exact interval (Clopper & Pearson 1934): none in 299 proves 1 %."""
    from pytest_mlgates.stats.proportions import clopper_pearson

    low, high = clopper_pearson(errors, requests, 1 - 2 * alpha)
    interval = Interval(low, high, 1 - 2 * alpha, "Clopper-Pearson")
    return Evidence("error rate", errors / requests, requests, interval)


def design_effect(latencies: NDArray[Any], quantile: float = 0.99, block: int = BLOCK) -> float:
    """Variance of the block counts of answers above the quantile over that of independent ones, 1 or more."""
    import numpy as np

    blocks = len(latencies) // block
    if blocks < 2:
        return 1.0
    rows = latencies[: blocks * block]
    slow = (rows > np.quantile(rows, quantile)).reshape(blocks, block).sum(axis=1)
    share = float(slow.mean()) / block
    return max(1.0, float(slow.var(ddof=1)) / (block * share * (1 - share))) if share > 0 else 1.0


def _exceedances(n: int, effect: float, share: float, alpha: float) -> tuple[int, int]:
    """(most exceedances of a value that still prove the quantile below it, or -1; fewest that prove it above)."""
    from pytest_mlgates.stats.special import beta_cdf

    rows = n / effect

    def at_most(k: int) -> float:
        slow = k / effect
        return 1.0 if slow >= rows else beta_cdf(1 - share, rows - slow, slow + 1)

    def at_least(k: int) -> float:
        slow = k / effect
        return 1.0 if k <= 0 else beta_cdf(share, slow, rows - slow + 1)

    below, above = -1, n + 1
    low, high = -1, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_most(middle) <= alpha else (low, middle)
    below = low
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at_least(middle) <= alpha else (middle, high)
    above = high
    return below, above

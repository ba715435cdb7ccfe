"""What a burst beyond capacity came to: who was refused, how fast, who waited, and what else went wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.policy import Overload
from pytest_mlgates.ports import Samples
from pytest_mlgates.stats.proportions import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What says "not now" to a client in a way it can act on.
REFUSALS = ("HTTP 429", "HTTP 503")
#: How the load generator says that it gave up waiting.
_GAVE_UP = "no answer within"
#: p99 of how late a request may be sent, in seconds, and the generator's share of a core: beyond, it is the one that
#: is overloaded.
LATE, BUSY = 0.1, 0.95


def judged(samples: Samples, calm: float, busy: float, policy: Overload) -> list[Evidence]:
    """Evidence on one burst; `calm` is the normal time of an answer, in seconds."""
    distrust = unbelievable(samples, busy)
    refused, gave_up, wrong = _kinds(samples)
    seconds = samples.done - samples.due
    slow = gave_up | (seconds > policy.wait_s)
    details = {
        "refused": int(refused.sum()),
        "right": int((samples.fault == "").sum()),
        "faults": dict(Counter(map(str, samples.fault[samples.fault != ""]))),
        "calm_ms": calm * 1000,
    }
    found = [
        _share("requests that waited too long", slow, policy, distrust, details),
        _share("requests that failed otherwise than by 429 or 503", wrong, policy, distrust, details),
    ]
    if refused.any():
        late = seconds[refused] * 1000 > policy.refuse_ms
        found.append(_share(f"refusals that took more than {policy.refuse_ms:g} ms", late, policy, distrust, details))
    return found


def overloaded(samples: Samples, calm: float, policy: Overload) -> bool:
    """Whether it was too much: somebody was refused, failed, or waited far longer than normal."""
    import numpy as np

    refused, gave_up, wrong = _kinds(samples)
    enough = policy.errors * len(samples.due)
    if refused.sum() + gave_up.sum() + wrong.sum() > enough:
        return True
    return float(np.quantile(samples.done - samples.due, 0.95)) > max(10 * calm, policy.wait_s / 2)


def unbelievable(samples: Samples, busy: float) -> str:
    import numpy as np

    late = float(np.quantile(samples.sent - samples.due, 0.99))
    if late > LATE or busy > BUSY:
        return (
            f"the load generator was overloaded itself (1 % of its requests {1000 * late:.0f} ms late or more, "
            f"{busy:.0%} of its core used): lower rate or factor, or give it workers in [tool.mlgates.latency]"
        )
    return ""


def _kinds(samples: Samples) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(refused, given up, wrong), boolean arrays (n,)."""
    import numpy as np

    faults = [str(fault) for fault in samples.fault]
    refused = np.array([fault.startswith(REFUSALS) for fault in faults], dtype=bool)
    gave_up = np.array([fault.startswith(_GAVE_UP) for fault in faults], dtype=bool)
    return refused, gave_up, np.array([fault != "" for fault in faults], dtype=bool) & ~refused & ~gave_up


def _share(measure: str, those: NDArray[Any], policy: Overload, distrust: str, details: dict[str, Any]) -> Evidence:
    count, total = int(those.sum()), len(those)
    level = 1 - policy.alpha
    interval = Interval(*clopper_pearson(count, total, level), level, "Clopper-Pearson")
    return Evidence(measure, count / total, total, interval, cannot_say=distrust, details=details)

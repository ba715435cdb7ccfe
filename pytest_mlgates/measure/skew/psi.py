"""How far a feature has moved: the population stability index over the reference's deciles, less its bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 10
#: Of a column of words this many values are bins of their own; the rest share one.
_MOST_WORDS = 20


def stability(
    reference: NDArray[Any], sample: NDArray[Any], *, feature: str, alpha: float = 0.05, bins: int = _BINS
) -> Evidence:
    """The index of `sample` (m,) against `reference` (n,), numbers or words; hold it against ``at_most(0.2)``.

    A missing value is a value of its own. Both sides' sampling error is in the interval. Between that rule's two
    proofs the rows cannot tell; 1,000 a side are enough for a PASS up to an index of about 0.1.
    """
    from pytest_mlgates.stats.drift import psi
    from pytest_mlgates.stats.special import normal_quantile

    n = min(len(reference), len(sample))
    if n == 0:
        return Evidence("psi", None, n, where=feature, cannot_say="one side has no rows")
    before, now = histograms(reference, sample, bins)
    found = psi(before, now)
    half = normal_quantile(1 - alpha) * found.se
    interval = Interval(found.value - half, found.value + half, 1 - 2 * alpha, "delta method, bias taken off")
    details = {"raw": found.raw, "bias": found.bias, "reference_counts": before, "counts": now}
    return Evidence("psi", max(found.value, 0.0), n, interval, where=feature, details=details)


def histograms(reference: NDArray[Any], sample: NDArray[Any], bins: int = _BINS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts (B,) of both sides over the reference's quantile bins, or over its values when they are words."""
    import numpy as np

    if reference.dtype.kind in "iufb" and sample.dtype.kind in "iufb":
        return _of_numbers(reference.astype(float), sample.astype(float), bins)
    known, counts = np.unique(reference.astype(str), return_counts=True)
    known = known[np.argsort(-counts, kind="stable")][:_MOST_WORDS]
    rows = [[np.count_nonzero(side.astype(str) == word) for word in known] for side in (reference, sample)]
    full = [np.array([*row, len(side) - sum(row)]) for row, side in zip(rows, (reference, sample), strict=True)]
    return _without_empty(full[0], full[1])


def _of_numbers(reference: NDArray[Any], sample: NDArray[Any], bins: int) -> tuple[NDArray[Any], NDArray[Any]]:
    import numpy as np

    present = reference[~np.isnan(reference)]
    # A value that repeats often spans several quantiles; one edge is kept, so the bin holds it whole.
    edges = np.unique(np.quantile(present, np.arange(1, bins) / bins)) if len(present) else np.empty(0)
    made = []
    for side in (reference, sample):
        missing = np.isnan(side)
        place = np.searchsorted(edges, side[~missing], side="right")
        made.append(np.append(np.bincount(place, minlength=len(edges) + 1), missing.sum()))
    return _without_empty(made[0], made[1])


def _without_empty(before: NDArray[Any], now: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    held = (before + now) > 0
    return before[held], now[held]

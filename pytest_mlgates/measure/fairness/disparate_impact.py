"""Disparate impact: each group's selection rate against the reference group's, judged as one family.

The figure of a group is its rate over the reference's or the inverse, whichever is smaller. Farrington & Manning's
score test (1990) in both directions. The interval's lower end is uncorrected, because every group must be proven to
pass; its upper end carries Holm's (1979) step, because any one group can fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_METHOD = "Farrington-Manning score, Holm over the groups for the upper end"


def disparate_impact(
    selected: NDArray[Any], group: NDArray[Any], *, bound: float = 0.8, alpha: float = 0.05, reference: str = ""
) -> list[Evidence]:
    """One evidence a group but the reference; hold each against ``at_least(bound)``.

    `selected` (n,) bool, `group` (n,) any labels. `reference` is a group's label, by default the largest group.
    Raises CouldNotEvaluate for fewer than two groups and an unknown reference.
    """
    import numpy as np

    names, codes = np.unique(np.asarray(group).astype(str), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(names))
    chosen = np.bincount(codes, weights=np.asarray(selected, dtype=float), minlength=len(names))
    counts = {str(name): (int(x), int(n)) for name, x, n in zip(names, chosen, sizes, strict=True)}
    return impact_of_counts(counts, bound=bound, alpha=alpha, reference=reference)


def impact_of_counts(
    counts: Mapping[str, tuple[float, float]], *, bound: float = 0.8, alpha: float = 0.05, reference: str = ""
) -> list[Evidence]:
    """As `disparate_impact`, from group -> (selected, size), which need not be whole: weighted rows count as fewer."""
    from pytest_mlgates.stats.multiple import holm

    if len(counts) < 2:
        raise CouldNotEvaluate(f"disparate impact needs at least two groups, not {', '.join(counts) or 'none'}")
    if reference and reference not in counts:
        raise CouldNotEvaluate(f"the reference group {reference!r} does not occur: {did_you_mean(reference, counts)}")
    against = reference or max(counts, key=lambda name: counts[name][1])
    rates = {name: x / n for name, (x, n) in counts.items()}
    details: dict[str, Any] = {"reference": against, "rates": rates, "sizes": {k: n for k, (_, n) in counts.items()}}
    details["lowest_over_highest"] = min(rates.values()) / max(rates.values()) if any(rates.values()) else None
    others = [name for name in counts if name != against]
    p = [_p_outside(*counts[name], *counts[against], bound) for name in others]
    adjusted = holm(p).tolist()
    made = []
    for name, own, family in zip(others, p, adjusted, strict=True):
        n = round(counts[name][1] + counts[against][1])
        if not (counts[name][0] or counts[against][0]):
            why = f"nobody of this group or of the reference {against} was selected, so there is no ratio"
            made.append(Evidence("disparate impact", None, n, where=name, cannot_say=why, details=details))
            continue
        value, low, high = _impact(*counts[name], *counts[against], alpha, alpha * own / family if own else alpha)
        of_group = {**details, "p": own, "holm": family}
        interval = Interval(low, high, 1 - 2 * alpha, _METHOD)
        made.append(Evidence("disparate impact", value, n, interval, where=name, details=of_group))
    return made


@lru_cache(maxsize=65536)
def _p_outside(x: float, n: float, x_ref: float, n_ref: float, bound: float) -> float:
    """Small when the ratio is proven below `bound` or above its inverse."""
    from pytest_mlgates.stats.ratio import p_above, p_below

    return min(p_below(x, n, x_ref, n_ref, bound), p_above(x, n, x_ref, n_ref, 1 / bound))


@lru_cache(maxsize=65536)
def _impact(
    x: float, n: float, x_ref: float, n_ref: float, alpha: float, alpha_high: float
) -> tuple[float, float, float]:
    """(min(ratio, 1/ratio), its lower bound at one-sided `alpha`, its upper bound at `alpha_high`)."""
    from pytest_mlgates.stats.ratio import ratio_interval

    rate, rate_ref = x / n, x_ref / n_ref
    value = min(rate, rate_ref) / max(rate, rate_ref)
    below, above = ratio_interval(x, n, x_ref, n_ref, 1 - 2 * alpha)
    low = min(below, 1 / above)
    below, above = ratio_interval(x, n, x_ref, n_ref, 1 - 2 * max(alpha_high, 1e-12))
    high = above if above < 1 else 1 / below if below > 1 else 1.0
    return value, min(low, value), max(high, value)

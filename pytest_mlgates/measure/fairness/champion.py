"""Is any group treated worse than the champion treats it? Paired, because both models decided on the same rows.

A group is harmed when its disparate impact fell by more than the margin and a one-sided test of "not further from the
reference than before" still rejects after Holm's correction. The test is on the logarithm of the group's rate over
the reference's, whose error comes from each row's influence (the delta method), the rows of both models together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.wording import YES_NO, figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNHARMED = "no group worse off than with the champion"
#: Fewer selected rows than this in a group, or in the reference, and a logarithm of its rate has no normal error.
FEWEST_SELECTED = 10


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both models' decisions (n,) on the same rows, with the rows' groups (codes into `names`), weight and clusters."""

    names: tuple[str, ...]
    codes: NDArray[Any]
    champion: NDArray[Any]
    challenger: NDArray[Any]
    weight: NDArray[Any] | None = None
    clusters: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A group's disparate impact with both models, and the p-value of "no harm"."""

    group: str
    champion: float
    challenger: float
    p: float
    adjusted: float = 1.0
    harmed: bool = False

    @property
    def gain(self) -> float:
        return self.challenger - self.champion


def unharmed(family: str, pair: Pair, reference: str, *, margin: float, alpha: float) -> Evidence:
    """1 when no group is proven worse off by more than `margin`, to be held against ``is_true``.

    A group with too few selected rows to compare is named and does not block: the rule on disparate impact itself
    does not pass what is too small to tell.
    """
    changes, untested = changes_of(pair, reference, margin=margin, alpha=alpha)
    n = len(pair.codes)
    details: dict[str, Any] = {"changes": changes, "untestable": untested, "margin": margin}
    small = f"; too few selected to compare: {', '.join(untested)}" if untested else ""
    if not changes:
        reason = f"no group has {FEWEST_SELECTED} selected rows to compare{small}"
        return Evidence(UNHARMED, 1.0, n, unit=YES_NO, where=family, details={**details, "reason": reason})
    worst = min(changes, key=lambda change: (not change.harmed, change.gain))
    said = f"{worst.group} from {figure(worst.champion)} to {figure(worst.challenger)}"
    harmed = [change.group for change in changes if change.harmed]
    if harmed:
        reason = f"{family}: worse off than with the champion: {', '.join(harmed)}; the most {said}"
    else:
        reason = f"{family}: no group is proven worse off by more than {margin:g}; the most {said}"
    details["reason"] = reason + small
    return Evidence(UNHARMED, float(not harmed), n, unit=YES_NO, where=f"{family}: {said}", details=details)


def changes_of(pair: Pair, reference: str, *, margin: float, alpha: float) -> tuple[list[Change], list[str]]:
    """(every group that can be compared, the names of those that cannot)."""
    import dataclasses

    from pytest_mlgates.stats.multiple import holm

    against = pair.names.index(reference)
    changes, untested = [], []
    for place, name in enumerate(pair.names):
        if place == against:
            continue
        change = _change(pair, place, against)
        if change is None:
            untested.append(name)
        else:
            changes.append(change)
    if not changes:
        return [], untested
    adjusted = holm([change.p for change in changes]).tolist()
    return [
        dataclasses.replace(change, adjusted=p, harmed=p <= alpha and change.gain < -margin)
        for change, p in zip(changes, adjusted, strict=True)
    ], untested


def _change(pair: Pair, place: int, against: int) -> Change | None:
    import numpy as np

    from pytest_mlgates.stats.special import t_cdf
    from pytest_mlgates.stats.variance import cluster_spread, row_spread

    rows = np.flatnonzero((pair.codes == place) | (pair.codes == against))
    of_group = pair.codes[rows] == place
    weight = np.ones(len(rows)) if pair.weight is None else pair.weight[rows]
    shares = np.zeros(len(rows))
    logs = []
    # Harm is distance from the reference, in either direction: the champion's, less the challenger's.
    for selected, sign in ((pair.champion[rows], 1.0), (pair.challenger[rows], -1.0)):
        if min(int(selected[of_group].sum()), int(selected[~of_group].sum())) < FEWEST_SELECTED:
            return None
        mine, theirs = (_log_rate(selected, part, weight) for part in (of_group, ~of_group))
        ratio = mine[0] - theirs[0]
        shares += sign * math.copysign(1.0, ratio) * (mine[1] - theirs[1])
        logs.append(ratio)
    gain = abs(logs[0]) - abs(logs[1])
    strata = of_group.astype(np.int64)
    if pair.clusters is None:
        found = row_spread(shares, strata)
    else:
        names, codes = np.unique(pair.clusters[rows], return_inverse=True)
        found = cluster_spread(shares, codes, len(names), strata)
    p = t_cdf(gain / found.se, found.df) if found.se > 0 else float(gain >= 0)
    return Change(pair.names[place], math.exp(-abs(logs[0])), math.exp(-abs(logs[1])), p)


def _log_rate(selected: NDArray[Any], part: NDArray[Any], weight: NDArray[Any]) -> tuple[float, NDArray[Any]]:
    """The logarithm of the selection rate in `part`, and each row's share (n,) in its error."""
    total = float(weight[part].sum())
    rate = float(weight[part & selected].sum()) / total
    return math.log(rate), part * weight * (selected / rate - 1) / total

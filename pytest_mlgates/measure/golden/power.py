"""What a golden set can resolve, said before any model is scored.

Two models of equal AUC whose scores are binormal and correlate within each class; 80 % power, alpha .05. Until
both models have scored the set, their correlation is a guess: two retrains of one recipe come to about .98, two
recipes on the same features to about .90.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.measure.quality import DEFAULT_METRICS, FEWEST
from pytest_mlgates.settings import Settings
from pytest_mlgates.stats.power import auc_rows_needed, effect_in_errors, two_figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASSUMED = (0.90, 0.98)
ASSUMED_AUC = 0.80
ADVISED = 100
#: From this share of the rarer class on, balancing saves less than a fifth of the rows.
_BALANCED = 0.35
_SLICES = 10


@dataclass(frozen=True, slots=True)
class Design:
    """A golden set as far as power goes: rows, share of positives, the models' AUC."""

    rows: int
    balance: float
    auc: float = ASSUMED_AUC

    @property
    def rarer(self) -> int:
        return round(self.rows * min(self.balance, 1 - self.balance))


def resolvable(design: Design, correlation: float, *, alpha: float = 0.05) -> float:
    """Smallest AUC margin at which an equal challenger passes with 80 % power. Raises ValueError."""
    return math.sqrt(auc_rows_needed(1.0, design.auc, correlation, design.balance, alpha=alpha) / design.rows)


def rows_for(margin: float, design: Design, correlation: float, *, alpha: float = 0.05) -> int:
    """Rows of the same balance that resolve `margin`, to two significant figures. Raises ValueError."""
    return two_figures(auc_rows_needed(margin, design.auc, correlation, design.balance, alpha=alpha))


def correlation_of(design: Design, margin: float) -> float:
    """The score correlation with which `design` resolves `margin`: what a measured standard error amounts to."""
    low, high = 0.0, 0.9999
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if resolvable(design, middle) > margin else (low, middle)
    return high


def advice(design: Design, margin: float, correlation: float, *, alpha: float = 0.05) -> list[str]:
    """What to do, cheapest first, when the set cannot resolve `margin`; nothing when it can."""
    needed = rows_for(margin, design, correlation, alpha=alpha)
    if resolvable(design, correlation, alpha=alpha) <= margin and design.rarer >= FEWEST:
        return []
    made = []
    if min(design.balance, 1 - design.balance) < _BALANCED:
        even = rows_for(margin, Design(design.rows, 0.5, design.auc), correlation, alpha=alpha)
        times = 0.25 / (design.balance * (1 - design.balance))
        made.append(
            f"balance the golden set: at 50/50 {even:,} rows do what {needed:,} do at {_share(design.balance)} "
            f"positive ({times:.1f} times fewer); keep a weight column or set prevalence"
        )
    made.append(f"add rows: {needed:,} in all")
    if design.rarer >= FEWEST:
        made.append(f"widen the margin: these rows resolve {resolvable(design, correlation, alpha=alpha):.2g}")
    return made


def advance_notice(
    rows: int,
    positives: int,
    settings: Settings,
    asked: Collection[str],
    *,
    correlation: float | None = None,
    auc: float = ASSUMED_AUC,
) -> list[str]:
    """One sentence a statistical gate of `asked`: what the golden set can resolve and how many rows it needs.

    Needs no model: without a measured `correlation` of the scores (and `auc`) both assumed ones are said. Only ROC AUC
    of a binary task can be foreseen; of other metrics it says what every metric needs, enough rows.
    """
    gates = [name for name in ("golden_regression", "bootstrap_auc", "slices") if name in asked]
    if settings.task != "binary":
        few = settings.task == "regression" and rows < FEWEST
        return [f"{name}: {rows} rows; at least {FEWEST} are needed" for name in gates if few]
    rarer = min(positives, rows - positives)
    if rarer < FEWEST:
        why = f"{rarer} rows in the rarer class; at least {FEWEST} are needed, and {ADVISED} or more are advised"
        return [f"{name}: will be INCONCLUSIVE: {why}" for name in gates]
    design = Design(rows, positives / rows, auc)
    known = ASSUMED if correlation is None else (correlation,)
    said = {
        "golden_regression": _not_worse(design, settings, known),
        "bootstrap_auc": _better(design, settings, known),
        "slices": _harm(design, settings, known),
    }
    return [f"{name}: {said[name]}" for name in gates if said[name]]


def measured(
    y: NDArray[Any], first: NDArray[Any], second: NDArray[Any], groups: NDArray[Any] | None = None
) -> tuple[float, float] | None:
    """(AUC, score correlation) that two models' scores (n,) of the labels `y` (n,) amount to: the correlation at which
    independent rows would give the standard error these rows have. None where they say nothing of it.
    """
    from pytest_mlgates.stats.delong import paired_auc
    from pytest_mlgates.stats.power import minimum_resolvable_margin

    try:
        pair = paired_auc(y, first, second, groups=groups)
    except ValueError:
        return None
    auc = (pair.champion + pair.challenger) / 2
    if not (0.501 < auc < 0.999 and pair.se > 0):
        return None
    return auc, correlation_of(Design(len(y), float(y.mean()), auc), minimum_resolvable_margin(pair.se))


def _not_worse(design: Design, settings: Settings, known: tuple[float, ...]) -> str:
    policy = settings.golden_regression
    name = DEFAULT_METRICS["binary"]
    if policy.metrics and name not in policy.metrics:
        return ""
    margin = policy.metrics.get(name, 0.005)
    return _prove(design, known, margin, f"not worse by {margin:g} ROC AUC", policy.alpha)


def _better(design: Design, settings: Settings, known: tuple[float, ...]) -> str:
    policy = settings.bootstrap_auc
    if policy.better:
        return _prove(design, known, max(policy.gain, 1e-6), f"a true gain of {policy.gain:g} ROC AUC", policy.alpha)
    return _prove(design, known, policy.margin, f"not worse by {policy.margin:g} ROC AUC", policy.alpha)


def _prove(design: Design, known: tuple[float, ...], margin: float, what: str, alpha: float) -> str:
    """`what` is proven or not, at each of the known correlations; then the first advice."""
    if margin <= 0:
        return ""
    parts = []
    for correlation in known:
        limit = resolvable(design, correlation, alpha=alpha)
        needs = "" if limit <= margin else f" and needs {rows_for(margin, design, correlation, alpha=alpha):,} rows"
        of_these = "the measured " if len(known) == 1 else ""
        parts.append(f"at {of_these}score correlation {correlation:.2g} it resolves {limit:.2g}{needs}")
    short = [correlation for correlation in known if resolvable(design, correlation, alpha=alpha) > margin]
    can = "can prove" if not short else "cannot prove" if len(short) == len(known) else "may not prove"
    first = f"; first advice: {advice(design, margin, short[0], alpha=alpha)[0]}" if short else ""
    return f"{_size(design)} {can} {what}: {', '.join(parts)}{first}"


def _harm(design: Design, settings: Settings, known: tuple[float, ...]) -> str:
    """For ten equal slices, since nobody has looked at the rows yet."""
    part = Design(design.rows // _SLICES, design.balance, design.auc)
    if part.rarer < FEWEST:
        return f"a tenth of {_size(design)} has {part.rarer} in the rarer class, fewer than the {FEWEST} a test needs"
    alpha = settings.slices.alpha
    scale = effect_in_errors(alpha=alpha / _SLICES) / effect_in_errors(alpha=alpha)
    parts = [f"{scale * resolvable(part, c, alpha=alpha):.2g} at score correlation {c:.2g}" for c in known]
    return f"in one of {_SLICES} slices of {part.rows:,} rows a harm is found from {' or '.join(parts)} on"


def _size(design: Design) -> str:
    few = "" if design.rarer >= ADVISED else f", {design.rarer} in the rarer class where {ADVISED} are advised"
    return f"{design.rows:,} rows ({_share(design.balance)} positive{few})"


def _share(balance: float) -> str:
    return f"{100 * balance:.2g} %"

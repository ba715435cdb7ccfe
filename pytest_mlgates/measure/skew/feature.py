"""What the gate judges of one feature, and the figures that are kept beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_mlgates.baseline.document import Column
from pytest_mlgates.engine.port import Table
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.measure.skew.column import Held
from pytest_mlgates.measure.skew.troubles import nature, troubles
from pytest_mlgates.policy import Skew
from pytest_mlgates.wording import YES_NO

if TYPE_CHECKING:
    from pytest_mlgates.stats.drift import Psi

#: Rows a side from which an index is trusted without further words.
ENOUGH = 1_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One feature: what the gate judges of it, the figures for the record, and why it was not compared."""

    name: str
    evidence: list[Evidence] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    left_out: str = ""


def interval(psi: Psi, before: Sequence[float], now: Sequence[float], policy: Skew) -> Interval:
    """The index between its one-sided bounds, from counts (B,) of both sides.

    The upper one is at least as far off as noise would be if the true index were at the limit (a non-central
    chi-square's): a small index in few rows looks surer of itself than it can be.
    """
    from pytest_mlgates.stats.special import normal_quantile

    z = normal_quantile(1 - policy.alpha)
    scale = 1 / sum(before) + 1 / sum(now)
    at_limit = math.sqrt(2 * psi.bias * scale + 4 * policy.psi * scale)
    high = psi.value + z * max(psi.se, at_limit)
    return Interval(psi.value - z * psi.se, high, 1 - 2 * policy.alpha, "delta method, bias taken off")


def evidence_of(name: str, base: Column, held: Held, policy: Skew, *, judge_index: bool = True) -> list[Evidence]:
    """The index of a feature, and what is proven wrong with it; nothing for one that is left out and sound."""
    wrong = list(troubles(base, held, policy))
    if not base.rows or not held.rows or not (judge_index or wrong):
        return []
    psi = held.psi()
    between = interval(psi, held.before, held.now, policy)
    details: dict[str, Any] = {
        "raw": psi.raw,
        "bias": psi.bias,
        "bins": list(held.labels),
        "baseline": list(held.before),
        "sample": list(held.now),
    }
    if wrong:
        details["sudden"] = wrong
    elif between.low > policy.psi:
        why = nature(base, held, policy.sudden)
        details |= {"sudden": [why]} if why else {"gradual": True}
    n = min(base.rows, held.rows)
    return [Evidence("psi", max(psi.value, 0.0), n, between, where=name, details=details)]


def broken(name: str, sample: Table, why: list[str]) -> Compared:
    details = {"sudden": why}
    return Compared(name, [Evidence("comparable", 0, sample.rows, unit=YES_NO, where=name, details=details)])


def figures(base: Column, held: Held) -> dict[str, Any]:
    """What is reported and not judged."""
    chi = held.chi_square()
    found: dict[str, Any] = {
        "jensen_shannon": held.jensen_shannon(),
        "cramers_v": chi.cramers_v,
        "chi_square_p": chi.p_value,
        "null_rate": [base.nulls / base.rows if base.rows else None, held.nulls / held.rows if held.rows else None],
    }
    if held.ks is not None:
        found |= {"ks": held.ks, **held.more}
    if base.numbers is not None and held.mean is not None and held.sd is not None:
        shift = held.mean - base.numbers.mean
        error = math.hypot(base.numbers.sd / base.present**0.5, held.sd / held.present**0.5)
        found["mean"] = [base.numbers.mean, held.mean]
        found["z_of_means"] = shift / error if error else None
        found["mean_shift_sd"] = shift / base.numbers.sd if base.numbers.sd else None
        found["range"] = [base.numbers.low, base.numbers.high, held.low, held.high]
    if base.words is not None:
        found["new_values"] = held.new / held.present if held.present else None
        found["distinct"] = [base.words.distinct, held.distinct]
    return found

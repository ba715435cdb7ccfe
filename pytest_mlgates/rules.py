"""Pure rules: evidence in, finding out. Every rule is two one-sided tests at its limit.

PASS is proven inside, FAIL is proven outside, anything else is INCONCLUSIVE (equivalence testing after
Schuirmann 1987). The evidence carries the interval; a figure without one is taken as exact.
A rule never passes a figure that is missing or not a number.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.verdict import Finding, Verdict
from pytest_mlgates.wording import figure, interval, shown

Rule = Callable[[Evidence], Finding]


def at_least(limit: float) -> Rule:
    """The figure must be proven to be `limit` or more."""
    return lambda evidence: _judge(evidence, limit, f">= {figure(limit)}", sign=1.0)


def at_most(limit: float) -> Rule:
    """The figure must be proven to be `limit` or less."""
    return lambda evidence: _judge(evidence, limit, f"<= {figure(limit)}", sign=-1.0)


def not_above(limit: float) -> Rule:
    """FAIL when proven above `limit`; what is neither proven above nor below passes: a watch, not a proof."""
    return _unless_proven(at_most(limit), f"not proven above {figure(limit)}")


def not_below(limit: float) -> Rule:
    """FAIL when proven below `limit`; what is neither proven below nor above passes: a watch, not a proof."""
    return _unless_proven(at_least(limit), f"not proven below {figure(limit)}")


def not_worse_than(margin: float) -> Rule:
    """A gain (positive: challenger better) must be proven not to be below ``-margin``."""
    if margin < 0:
        raise ValueError(f"margin is how much worse is tolerated, as a positive number, not {margin}")
    return at_least(-margin)


def better_by(gain: float) -> Rule:
    """A gain must be proven to be above 0, and its point estimate must be `gain` or more."""

    def rule(evidence: Evidence) -> Finding:
        finding = _judge(evidence, 0.0, "> 0", sign=1.0, strict=True)
        limit = f"> 0 and {figure(gain)} or more"
        if finding.verdict is Verdict.PASS and _value(evidence) < gain:
            why = f"{_shown(evidence)}: proven better, but by less than the {figure(gain)} asked for"
            return Finding(Verdict.INCONCLUSIVE, why, limit)
        return dataclasses.replace(finding, limit=limit)

    return rule


def is_true(limit: str) -> Rule:
    """The figure is a plain yes (1) or no (0); `limit` says in words what must hold."""

    def rule(evidence: Evidence) -> Finding:
        blocked = _blocked(evidence, limit)
        if blocked:
            return blocked
        holds = _value(evidence) == 1.0
        reason = str(evidence.details.get("reason", evidence.measure))
        return Finding(Verdict.PASS if holds else Verdict.FAIL, reason, limit)

    return rule


def _unless_proven(rule: Rule, words: str) -> Rule:
    """`rule`, but an interval that reaches across its limit passes. Evidence that cannot say stays INCONCLUSIVE."""

    def watch(evidence: Evidence) -> Finding:
        finding = rule(evidence)
        if finding.verdict is not Verdict.INCONCLUSIVE or evidence.cannot_say:
            return finding
        return Finding(Verdict.PASS, f"{_shown(evidence)}: {words}", finding.limit)

    return watch


def _judge(evidence: Evidence, limit: float, words: str, *, sign: float, strict: bool = False) -> Finding:
    blocked = _blocked(evidence, words)
    if blocked:
        return blocked
    value = _value(evidence)
    low = high = value
    if evidence.interval is not None:
        low, high = evidence.interval.low, evidence.interval.high
    inner, outer = (low, high) if sign > 0 else (high, low)
    inside = sign * (inner - limit)
    said = _shown(evidence)
    if inside > 0 or (inside == 0 and not strict):
        return Finding(Verdict.PASS, f"{said}: proven {words}", words)
    if sign * (outer - limit) < 0:
        return Finding(Verdict.FAIL, f"{said}: proven not {words}", words)
    return Finding(Verdict.INCONCLUSIVE, f"{said}: the interval reaches across the limit {words}", words)


def _blocked(evidence: Evidence, words: str) -> Finding | None:
    """The finding for evidence that no limit can be held against."""
    if evidence.cannot_say:
        return Finding(Verdict.INCONCLUSIVE, f"{evidence.title}: {evidence.cannot_say}", words)
    if evidence.value is None:
        return Finding(Verdict.ERROR, f"{evidence.title}: nothing was measured", words)
    ends = [evidence.value]
    if evidence.interval is not None:
        ends += [evidence.interval.low, evidence.interval.high]
    if any(math.isnan(end) for end in ends):
        return Finding(Verdict.ERROR, f"{evidence.title}: the figure is not a number (NaN)", words)
    if math.isinf(evidence.value):
        return Finding(Verdict.ERROR, f"{evidence.title}: the figure is infinite", words)
    if evidence.n <= 0:
        return Finding(Verdict.ERROR, f"{evidence.title}: measured on nothing (n = {evidence.n})", words)
    if evidence.interval is not None and not evidence.interval.low <= evidence.interval.high:
        return Finding(Verdict.ERROR, f"{evidence.title}: the interval is upside down", words)
    return None


def _value(evidence: Evidence) -> float:
    assert evidence.value is not None
    return evidence.value


def _shown(evidence: Evidence) -> str:
    return f"{evidence.title} {shown(evidence, _value(evidence))} {interval(evidence)}".rstrip()

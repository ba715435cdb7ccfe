"""What a drill came to, read from what its gates judged: what the ledger is told, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_mlgates.decision import Decision, GateOutcome
from pytest_mlgates.verdict import Verdict


def on_record(decision: Decision, outcomes: Mapping[str, GateOutcome]) -> tuple[Verdict, str, str]:
    """(verdict, where, why) for the ledger, on which later promotions rely.

    It is a pass only when a drill was held and passed itself: a waiver lets a run pass, and proves no way back.
    """
    held = [outcome for outcome in outcomes.values() if any(_told(outcome, "cluster"))]
    where = next((name for outcome in held for name in _told(outcome, "cluster")), "no cluster")
    against = max(held, key=lambda outcome: outcome.verdict, default=None)
    if against is None and decision.verdict is Verdict.PASS:
        return Verdict.INCONCLUSIVE, where, "no drill was held"
    if against is not None and against.verdict > decision.verdict:
        return against.verdict, where, f"{against.name}: {against.sentence}"
    return decision.verdict, where, "; ".join(decision.reasons)


def left_behind(outcomes: Mapping[str, GateOutcome]) -> str:
    """What a drill could not put back as it was, or "": that needs a person, whatever the drill proved."""
    return next((said for outcome in outcomes.values() for said in _told(outcome, "left")), "")


def _told(outcome: GateOutcome, key: str) -> Iterable[str]:
    said = (judgement.evidence.details.get(key) for judgement in outcome.judgements)
    return (str(one) for one in said if one)

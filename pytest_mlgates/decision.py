"""Pure: required gates, their outcomes and the facts of the session in; what to do, and why, out."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mlgates.tiers import BLIND, OF_TIER, Tier, Told, weaker
from pytest_mlgates.verdict import Judgement, Verdict, worst


class Action(enum.StrEnum):
    """What follows from a run."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    KEEP = "KEEP"
    PAGE = "PAGE"
    REVIEW = "REVIEW"
    ROLLBACK = "ROLLBACK"
    NOTHING = "NOTHING"
    DRILLED = "DRILL PASSED"
    UNPROVEN = "DRILL UNPROVEN"
    INCIDENT = "DRILL FAILED"


class Exit(enum.IntEnum):
    """What the process says to the shell. 2 to 5 are pytest's own."""

    DONE = 0
    HELD = 1
    UNDECIDED = 10
    ACTION_FAILED = 11


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """One gate as it was reported: the worst over its judgements, its trouble, and every attempt.

    `at` is the file and line of a user's own gate ("checks/test_own.py:12"), "" of a shipped one.
    """

    name: str
    verdict: Verdict
    judgements: tuple[Judgement, ...] = ()
    trouble: str = ""
    stage: str = ""
    place: str = ""
    seconds: float = 0.0
    at: str = ""
    tier: Tier = Tier.ASK

    @property
    def sentence(self) -> str:
        """Why, in the words of the worst finding."""
        if self.trouble:
            return self.trouble
        said = [j.finding.sentence for j in self.judgements if j.verdict is self.verdict]
        return said[0] + (f" (and {len(said) - 1} more)" if len(said) > 1 else "") if said else "judged nothing"


@dataclass(frozen=True, slots=True)
class Facts:
    """What else is true of the session.

    `stopped` says why it did not run to its end, `problem` why nothing could be looked up, `ledger` what is wrong
    with the record of who is champion, `rolled_back` which rollback took the challenger out of service, `budget` why
    the golden set may not judge any more, `guard` why the champion may not be rolled back without a person, `nothing`
    why there is nothing to judge; `hidden` says of each gate that never reported why not; `other_failures` says of each
    test that is no gate and failed that it did.
    """

    phase: str = "promotion"
    champion: str = ""
    nothing: str = ""
    problem: str = ""
    ledger: str = ""
    rolled_back: str = ""
    budget: str = ""
    guard: str = ""
    stopped: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
    other_failures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`reasons` say why in plain words, worst first; `flips` what would change the decision."""

    action: Action
    verdict: Verdict
    reasons: tuple[str, ...]
    flips: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """The code when the action, if any, succeeds."""
        if self.action is Action.NOTHING or self.verdict is Verdict.PASS:
            return Exit.DONE
        return Exit.HELD if self.verdict is Verdict.FAIL else Exit.UNDECIDED


def decide(
    required: Sequence[str], waived: Mapping[str, str], outcomes: Mapping[str, GateOutcome], facts: Facts
) -> Decision:
    """The one place where a run becomes an action. Whatever is missing, hidden or stopped never promotes.

    Gates that ran without being required count too: a failing one holds. Waived gates do not count.
    """
    if facts.nothing and not facts.ledger:
        return Decision(Action.NOTHING, Verdict.PASS, (facts.nothing,))
    against = [
        *_withdrawn(facts),
        *_stopped(facts),
        *_missing(required, outcomes, facts),
        *_failed(outcomes, waived, facts),
    ]
    if not required:
        against.append((Verdict.ERROR, "no gate was required, so nothing was proven"))
    # The order of PASS, INCONCLUSIVE, ERROR, FAIL is the order of importance; sorting is stable.
    against.sort(key=lambda reason: -reason[0])
    verdict = worst([Verdict.PASS, *(verdict for verdict, _ in against)])
    reasons = tuple(sentence for _, sentence in against)
    counted = [outcome for name, outcome in outcomes.items() if name not in waived]
    if facts.phase == "live":
        action, told = _live(counted, verdict, facts, silent=len(_missing(required, outcomes, facts)))
        return Decision(action, verdict, (*(reasons or _praise(required, facts)), *told))
    return Decision(_action(facts.phase, verdict), verdict, reasons or _praise(required, facts), _flips(counted))


def _live(
    counted: Sequence[GateOutcome], verdict: Verdict, facts: Facts, *, silent: int
) -> tuple[Action, tuple[str, ...]]:
    """Only proof that the champion itself is bad, by a gate that may act alone, rolls back; not knowing never does."""
    if verdict is Verdict.PASS:
        return Action.KEEP, ()
    tiers = {tier for outcome in counted for tier in _tiers(outcome)}
    blocked = facts.problem or facts.ledger or facts.stopped
    if Tier.ACT in tiers and not blocked and not facts.guard:
        return Action.ROLLBACK, _told(OF_TIER[Tier.ACT])
    if Tier.ACT in tiers or Tier.ASK in tiers or facts.other_failures:
        guard = (f"not rolled back: {facts.guard}",) if facts.guard and Tier.ACT in tiers else ()
        return Action.PAGE, (*guard, *_told(OF_TIER[Tier.ASK]))
    if blocked or silent or any(o.verdict is Verdict.ERROR and o.tier is not Tier.REVIEW for o in counted):
        return Action.PAGE, _told(BLIND)
    if Tier.REVIEW in tiers or any(o.verdict is Verdict.ERROR for o in counted):
        return Action.REVIEW, _told(OF_TIER[Tier.REVIEW])
    return Action.KEEP, ()


def _told(told: Told) -> tuple[str, ...]:
    return (f"told: {told}",)


def _tiers(outcome: GateOutcome) -> list[Tier]:
    """What the findings against the champion ask for: each its own tier, never above its gate's."""
    found = []
    for judgement in outcome.judgements:
        asked = judgement.evidence.details.get("tier")
        if judgement.verdict is Verdict.FAIL:
            found.append(weaker(_tier(asked), outcome.tier) if asked else outcome.tier)
        elif judgement.verdict is Verdict.INCONCLUSIVE and asked:
            # What is not proven is never acted on.
            found.append(weaker(weaker(_tier(asked), Tier.ASK), outcome.tier))
    # An attempt that failed without a judgement (an assertion, say) is its gate's.
    failed = any(j.verdict is Verdict.FAIL for j in outcome.judgements)
    return [*found, outcome.tier] if outcome.verdict is Verdict.FAIL and not failed else found


def _tier(word: object) -> Tier:
    """Anybody may write details; a word that is no tier asks a person."""
    return next((tier for tier in Tier if tier == word), Tier.ASK)


def _action(phase: str, verdict: Verdict) -> Action:
    if phase == "promotion":
        return Action.PROMOTE if verdict is Verdict.PASS else Action.HOLD
    if verdict is Verdict.PASS:
        return Action.DRILLED
    return Action.INCIDENT if verdict is Verdict.FAIL else Action.UNPROVEN


def _withdrawn(facts: Facts) -> list[tuple[Verdict, str]]:
    """What failed in service is no candidate, however well it does on the golden set."""
    return [(Verdict.FAIL, facts.rolled_back)] if facts.rolled_back and facts.phase == "promotion" else []


def _stopped(facts: Facts) -> list[tuple[Verdict, str]]:
    said = (facts.problem, facts.ledger, facts.budget, facts.stopped)
    return [(Verdict.ERROR, sentence) for sentence in said if sentence]


def _missing(required: Sequence[str], outcomes: Mapping[str, GateOutcome], facts: Facts) -> list[tuple[Verdict, str]]:
    if facts.problem or facts.stopped or facts.nothing:
        return []
    silent = [name for name in required if name not in outcomes]
    return [(Verdict.ERROR, f"{name}: {facts.hidden.get(name, 'never reported')}") for name in silent]


def _failed(outcomes: Mapping[str, GateOutcome], waived: Mapping[str, str], facts: Facts) -> list[tuple[Verdict, str]]:
    found: list[tuple[Verdict, str]] = [
        (outcome.verdict, f"{name}: {outcome.sentence}")
        for name, outcome in outcomes.items()
        if outcome.verdict is not Verdict.PASS
        and name not in waived
        # One trouble that every gate met is said once.
        and not (facts.problem and outcome.trouble == facts.problem)
    ]
    return found + [(Verdict.FAIL, sentence) for sentence in facts.other_failures]


def _praise(required: Sequence[str], facts: Facts) -> tuple[str, ...]:
    against = f" against {facts.champion}" if facts.champion and facts.phase != "drill" else ""
    return (f"all {len(required)} required gates passed{against}",)


def _flips(outcomes: Sequence[GateOutcome]) -> tuple[str, ...]:
    """What would turn each gate that is not passing, as far as the evidence knows."""
    found: list[str] = []
    for outcome in outcomes:
        for judgement in outcome.judgements:
            details, verdict = judgement.evidence.details, judgement.verdict
            if verdict is not Verdict.PASS and details.get("remedy"):
                found.append(f"{outcome.name}: {details['remedy']}")
            elif (
                verdict is Verdict.FAIL
                and outcome.stage not in ("identity", "data")
                and judgement.evidence.interval is not None
            ):
                title, limit = judgement.evidence.title, judgement.finding.limit
                found.append(f"{outcome.name}: a challenger whose {title} is proven {limit}")
            elif verdict is Verdict.INCONCLUSIVE and details.get("would_flip"):
                found.append(f"{outcome.name}: {details['would_flip']}")
            elif verdict is Verdict.INCONCLUSIVE and details.get("rows_needed"):
                found.append(
                    f"{outcome.name}: {details['rows_needed']} golden rows (now {judgement.evidence.n:,}), or a "
                    f"margin of {details['resolvable_margin']:.2g}, which is what this set can resolve"
                )
    return tuple(found)

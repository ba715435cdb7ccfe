"""From findings about what serves to what is done: only proof, by a gate that may act alone, rolls back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.decision import Action, Facts, GateOutcome, decide
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.tiers import Tier
from pytest_mlgates.verdict import Finding, Judgement, Verdict

PASS, INCONCLUSIVE, ERROR, FAIL = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL


def gate(name: str, verdict: Verdict, tier: Tier = Tier.ACT, word: str = "", trouble: str = "") -> GateOutcome:
    details = {"tier": word} if word else {}
    judged = () if trouble else (Judgement(Evidence("figure", 1, 1, details=details), Finding(verdict, "so it is")),)
    return GateOutcome(name, verdict, judged, trouble, tier=tier)


def action(*gates: GateOutcome, required: tuple[str, ...] = (), **facts: object) -> Action:
    outcomes = {one.name: one for one in gates}
    return decide(required or tuple(outcomes), {}, outcomes, Facts(phase="live", **facts)).action  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (gate("slo", PASS), Action.KEEP),
        (gate("slo", FAIL), Action.ROLLBACK),
        (gate("slo", FAIL, Tier.ASK), Action.PAGE),
        (gate("slo", FAIL, Tier.REVIEW), Action.REVIEW),
        (gate("slo", FAIL, word="ask"), Action.PAGE),
        (gate("slo", FAIL, Tier.ASK, word="act"), Action.PAGE),
        (gate("slo", FAIL, word="whatever"), Action.PAGE),
        (gate("slo", INCONCLUSIVE), Action.KEEP),
        (gate("slo", INCONCLUSIVE, word="ask"), Action.PAGE),
        (gate("slo", INCONCLUSIVE, word="act"), Action.PAGE),
        (gate("slo", ERROR, trouble="no data"), Action.PAGE),
        (gate("slo", ERROR, Tier.REVIEW, trouble="no data"), Action.REVIEW),
        (gate("slo", FAIL, trouble="the assertion failed"), Action.ROLLBACK),
    ],
)
def test_one_gate(outcome: GateOutcome, expected: Action) -> None:
    assert action(outcome) is expected


@given(
    verdict=st.sampled_from([PASS, INCONCLUSIVE, ERROR]),
    tier=st.sampled_from(list(Tier)),
    word=st.sampled_from(["", "act", "ask", "review", "nonsense"]),
)
def test_without_proof_nothing_is_rolled_back(verdict: Verdict, tier: Tier, word: str) -> None:
    assert action(gate("one", verdict, tier, word)) is not Action.ROLLBACK


@pytest.mark.parametrize("facts", [{"problem": "x"}, {"ledger": "x"}, {"stopped": "x"}, {"guard": "x"}])
def test_what_forbids_it(facts: dict[str, str]) -> None:
    assert action(gate("slo", FAIL), **facts) is Action.PAGE


def test_a_gate_that_never_reported_is_paged() -> None:
    assert action(gate("slo", PASS), required=("slo", "canary"), hidden={"canary": "not collected"}) is Action.PAGE


def test_proof_is_enough_whatever_else_cannot_be_evaluated() -> None:
    assert action(gate("slo", FAIL), gate("golden_integrity", ERROR, Tier.ASK, trouble="gone")) is Action.ROLLBACK


def test_a_failing_test_that_is_no_gate_asks_a_person() -> None:
    assert action(gate("slo", PASS), other_failures=("the test x failed",)) is Action.PAGE


def test_who_is_told_is_the_last_reason() -> None:
    outcomes = {"slo": gate("slo", FAIL)}
    decision = decide(("slo",), {}, outcomes, Facts(phase="live", guard="it just was"))
    assert decision.reasons == (
        "slo: so it is",
        "not rolled back: it just was",
        "told: SEV2, the pager, who decides, within 15 min",
    )

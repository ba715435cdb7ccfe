"""From outcomes and facts to an action in the phases promotion and drill: whatever is in doubt never promotes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.decision import Action, Decision, Exit, Facts, GateOutcome, decide
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.session.drilled import left_behind, on_record
from pytest_mlgates.tiers import Tier
from pytest_mlgates.verdict import Finding, Judgement, Verdict, worst

PASS, INCONCLUSIVE, ERROR, FAIL = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL
VERDICTS = st.sampled_from(list(Verdict))
#: What is never PASS, and the verdict that follows from it.
AGAINST = {
    "problem": ERROR,
    "ledger": ERROR,
    "budget": ERROR,
    "stopped": ERROR,
    "rolled_back": FAIL,
}


def gate(name: str, verdict: Verdict, **details: Any) -> GateOutcome:
    judged = Judgement(Evidence("figure", 1, 1, details=details), Finding(verdict, f"{name} is {verdict}"))
    return GateOutcome(name, verdict, (judged,))


def decided(*gates: GateOutcome, waived: tuple[str, ...] = (), **facts: Any) -> Decision:
    outcomes = {one.name: one for one in gates}
    required = tuple(name for name in outcomes if name not in waived)
    return decide(required, dict.fromkeys(waived, "later"), outcomes, Facts(**facts))


@pytest.mark.parametrize("fact", AGAINST)
def test_what_forbids_a_promotion_though_every_gate_passed(fact: str) -> None:
    assert decided(gate("a", PASS)).action is Action.PROMOTE
    held = decided(gate("a", PASS), **{fact: "so it is"})
    assert (held.action, held.verdict, held.reasons) == (Action.HOLD, AGAINST[fact], ("so it is",))
    assert held.exit is (Exit.HELD if AGAINST[fact] is FAIL else Exit.UNDECIDED)


def test_a_failing_test_that_is_no_gate_holds() -> None:
    assert decided(gate("a", PASS), other_failures=("the test x failed",)).action is Action.HOLD


def test_nothing_to_promote_is_no_answer_while_the_ledger_is_in_trouble() -> None:
    """Exit 0 would say that all is well with who serves."""
    assert decided(nothing="v2 is champion already").exit is Exit.DONE
    troubled = decided(nothing="v2 is champion already", ledger="'champion' was moved by hand")
    assert (troubled.action, troubled.exit) == (Action.HOLD, Exit.UNDECIDED)
    assert "'champion' was moved by hand" in troubled.reasons


@given(required=st.lists(VERDICTS, max_size=4), extra=st.lists(VERDICTS, max_size=2), missing=st.booleans())
def test_only_proof_of_everything_promotes(required: list[Verdict], extra: list[Verdict], missing: bool) -> None:
    """Gates that were not required and ran count too; a required one that never reported is as good as an error."""
    outcomes = {f"gate{n}": gate(f"gate{n}", verdict) for n, verdict in enumerate([*required, *extra])}
    names = [*list(outcomes)[: len(required)], *(["absent"] if missing else [])]
    found = decide(names, {}, outcomes, Facts())
    proven = not missing and bool(required) and worst([*required, *extra]) is PASS
    assert (found.action is Action.PROMOTE) is proven
    assert (found.exit is Exit.DONE) is proven


@pytest.mark.parametrize("phase", ["promotion", "drill", "live"])
@pytest.mark.parametrize("verdict", Verdict)
def test_a_waived_gate_runs_and_does_not_count(verdict: Verdict, phase: str) -> None:
    found = decided(gate("a", PASS), gate("b", verdict), waived=("b",), phase=phase)
    assert found.exit is Exit.DONE
    assert found.action in (Action.PROMOTE, Action.DRILLED, Action.KEEP)


def test_a_waived_gate_takes_nothing_out_of_service() -> None:
    """Also when another gate keeps the look from being well."""
    alarmed = dataclasses.replace(gate("slo", FAIL), tier=Tier.ACT)
    for_review = dataclasses.replace(gate("staleness", FAIL), tier=Tier.REVIEW)
    assert decided(alarmed, for_review, phase="live").action is Action.ROLLBACK
    assert decided(alarmed, for_review, waived=("slo",), phase="live").action is Action.REVIEW


@pytest.mark.parametrize(
    ("verdict", "action"),
    [(PASS, Action.DRILLED), (INCONCLUSIVE, Action.UNPROVEN), (ERROR, Action.UNPROVEN), (FAIL, Action.INCIDENT)],
)
def test_a_drill(verdict: Verdict, action: Action) -> None:
    assert decided(gate("rollback_drill", verdict), phase="drill").action is action


class TestADrillOnRecord:
    """Promotions rely on it, so a waiver or a list without a drill makes no way back."""

    def recorded(self, *gates: GateOutcome, waived: tuple[str, ...] = ()) -> tuple[Verdict, str, str]:
        outcomes = {one.name: one for one in gates}
        return on_record(decided(*gates, waived=waived, phase="drill"), outcomes)

    @pytest.mark.parametrize("verdict", Verdict)
    def test_its_own_verdict_counts(self, verdict: Verdict) -> None:
        found, where, _ = self.recorded(gate("golden_integrity", PASS), gate("mine", verdict, cluster="staging"))
        assert (found, where) == (verdict, "staging")

    @pytest.mark.parametrize("verdict", [INCONCLUSIVE, ERROR, FAIL])
    def test_also_when_it_was_waived(self, verdict: Verdict) -> None:
        drill = gate("rollback_drill", verdict, cluster="staging")
        found = self.recorded(gate("golden_integrity", PASS), drill, waived=("rollback_drill",))
        assert found == (verdict, "staging", f"rollback_drill: rollback_drill is {verdict}")

    def test_without_one_nothing_is_proven(self) -> None:
        found = self.recorded(gate("golden_integrity", PASS))
        assert found == (INCONCLUSIVE, "no cluster", "no drill was held")

    def test_what_is_wrong_beside_it_is_on_record_too(self) -> None:
        found = self.recorded(gate("golden_integrity", FAIL), gate("rollback_drill", PASS, cluster="staging"))
        assert found == (FAIL, "staging", "golden_integrity: golden_integrity is FAIL")

    def test_what_was_left_behind(self) -> None:
        assert left_behind({"a": gate("a", PASS, left="")}) == ""
        assert (
            left_behind({"a": gate("a", PASS), "b": gate("b", ERROR, left="staging serves v2")}) == "staging serves v2"
        )

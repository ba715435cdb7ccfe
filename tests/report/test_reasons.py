"""What many gates say alike is said once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.report.reasons import together

WAITS = "not run: identity is not proven (lineage)"


def test_gates_that_wait_for_the_same_one_share_a_line() -> None:
    reasons = ["lineage: no stamp", f"slices: {WAITS}", "own: crashed", f"is_new: {WAITS}", f"fairness: {WAITS}"]
    assert together(reasons) == ["lineage: no stamp", f"3 gates {WAITS}", "own: crashed"]


def test_few_have_a_line_each() -> None:
    reasons = ["lineage: no stamp", f"slices: {WAITS}", f"is_new: {WAITS}"]
    assert together(reasons) == reasons


@given(st.lists(st.text()))
def test_every_other_reason_stays_as_it_is(reasons: list[str]) -> None:
    others = [reason for reason in reasons if ": not run: " not in reason]
    assert together(others) == others
    assert len(together(reasons)) <= len(reasons)

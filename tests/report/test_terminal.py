"""What the terminal shows, by width and by how much is asked for."""

from __future__ import annotations

import pytest

from pytest_mlgates.decision import GateOutcome
from pytest_mlgates.report import terminal
from pytest_mlgates.rules import at_least
from pytest_mlgates.session.progress import _times
from pytest_mlgates.verdict import Finding, Judgement, Verdict
from tests.report.documents import HOSTILE, gain, gate, yes

GOOD = gate("golden_integrity", yes("frozen", True), stage="identity")
BAD = gate("core", (gain(-0.06, 0.01), at_least(-0.005)), (gain(-0.05, 0.01, where="b"), at_least(0)), at="own.py:3")
CRASHED = gate("crashed", trouble="the gate crashed: ValueError: no")


def test_a_row_a_judgement_where_it_fits() -> None:
    assert [line for line, _ in terminal.table([GOOD, BAD], {"core": "known"}, 120)] == [
        "gate              measured                  interval            limit       n      verdict",
        "golden_integrity  frozen yes                -                   as written  5,000  PASS",
        "core              roc_auc gain -0.0600      [-0.0700, -0.0500]  >= -0.005   5,000  FAIL (waived)",
        "core              roc_auc gain [b] -0.0500  [-0.0600, -0.0400]  >= 0        5,000  FAIL (waived)",
    ]


def test_the_runbooks_of_what_holds_are_named() -> None:
    waits = gate("is_new", trouble="not run: identity is not proven (lineage)")
    links = {name: f"mlgates runbook {name}" for name in ("golden_integrity", "core", "is_new")}
    assert terminal.todo([GOOD, BAD, CRASHED, waits], {}, links) == "mlgates runbook core"
    assert terminal.todo([GOOD, BAD], {"core": "known"}, links) == ""
    bad = [gate(f"g{n}", (gain(-0.06, 0.01), at_least(0.0))) for n in range(6)]
    assert terminal.todo(bad, {}, {one.name: one.name for one in bad}) == "g0, g1, g2, g3, and 2 more"


def test_what_is_only_shown_has_no_verdict() -> None:
    told = GateOutcome("fairness", Verdict.PASS, (Judgement(gain(-0.06, 0.01), Finding(Verdict.PASS, "", "reported")),))
    assert [line for line, _ in terminal.table([told], {}, 120)][1].endswith("reported  5,000  -")


def test_one_long_name_does_not_break_the_table_of_all() -> None:
    long = gate(
        "fairness", (gain(-0.02, 0.01, where="of the smallest group against the largest, as asked"), at_least(0.0))
    )
    assert [line for line, _ in terminal.table([GOOD, long], {}, 90)] == [
        "gate              measured                  interval            limit       n      verdict",
        "golden_integrity  frozen yes                -                   as written  5,000  PASS",
        "fairness          roc_auc gain [of the smallest group against the largest, as asked] -0.0200",
        "                                            [-0.0300, -0.0100]  >= 0        5,000  FAIL",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_table_keeps_to_the_width_or_stacks(width: int) -> None:
    lines = [line for line, _ in terminal.table([GOOD, BAD, CRASHED], {}, width)]
    if width >= 100:
        assert lines[0].startswith("gate ")
        assert max(map(len, lines)) <= width
    else:
        assert lines[0] == "PASS         golden_integrity"
        assert max(map(len, lines)) <= 70


def test_quietly_only_what_did_not_pass_is_shown_and_very_quietly_nothing() -> None:
    every = [GOOD, BAD, CRASHED]
    assert terminal.shown(every, 0) == every
    assert terminal.shown(every, 2) == every
    assert terminal.shown(every, -1) == [BAD, CRASHED]
    assert terminal.shown(every, -2) == []


def test_who_asks_for_more_is_told_every_finding() -> None:
    assert terminal.findings([GOOD, BAD, CRASHED]) == [
        "golden_integrity: PASS, 0.2 s",
        "core: FAIL, 0.2 s, own.py:3",
        "    roc_auc gain -0.0600 [-0.0700, -0.0500]: proven not >= -0.005",
        "    roc_auc gain [b] -0.0500 [-0.0600, -0.0400]: proven not >= 0",
        "crashed: ERROR, 0.2 s",
        "    the gate crashed: ValueError: no",
    ]


def test_hostile_names_stay_in_their_cell() -> None:
    gates = [gate(text, (gain(-0.06, 0.01, where=text), at_least(0.0))) for text in HOSTILE.values()]
    for line, verdict in terminal.table(gates, {}, 80):
        assert line.isprintable()
        assert len(line) < 500
        assert verdict in (None, Verdict.FAIL)


@pytest.mark.parametrize(
    ("message", "elapsed", "said"),
    [
        ("1,200 of 3,000 requests, p50 4 ms", 20.0, "20 s, about 30 s left"),
        ("50 of up to 200 requests", 10.0, "10 s, about 30 s left"),
        ("1 of 1,000 rows", 10.0, "10 s"),
        ("3,000 of 3,000 requests", 10.0, "10 s"),
        ("4,000 of 3,000 requests", 10.0, "10 s"),
        ("0 of 0 requests", 10.0, "10 s"),
        ("still running", 10.4, "10 s"),
        ("v2 of 3 is asked", 10.0, "10 s"),
    ],
)
def test_the_time_that_is_left_is_told_where_it_can_be(message: str, elapsed: float, said: str) -> None:
    assert _times(message, elapsed) == said

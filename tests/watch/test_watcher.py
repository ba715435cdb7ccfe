"""What a person on call reads, line by line."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.watch.look import Look
from pytest_mlgates.watch.watcher import Watcher

AT = "2027-01-15T08:00:00Z"


def judged(verdict: str, sentence: str, **evidence: Any) -> dict[str, Any]:
    told = {"measure": "errors", "value": 0.2, "n": 500, "where": "120 s", "unit": "", "details": {}, **evidence}
    return {"verdict": verdict, "sentence": sentence, "evidence": told}


def gate(name: str, verdict: str, *judgements: dict[str, Any], trouble: str = "") -> dict[str, Any]:
    sentence = judgements[0]["sentence"] if judgements else trouble
    return {"name": name, "verdict": verdict, "trouble": trouble, "sentence": sentence, "judgements": list(judgements)}


def looked(action: str, code: int, *gates: dict[str, Any], reasons: tuple[str, ...] = ("why",)) -> Look:
    champion = {"version": {"model": "churn", "number": "3"}}
    evidence = {"gates": list(gates), "decision": {"reasons": list(reasons)}, "champion": champion}
    return Look(code, action, reasons[0], evidence, 2.0, "")


FROZEN = gate("golden_integrity", "PASS", judged("PASS", "frozen yes", measure="frozen", value=1, unit="yes/no"))
WELL = looked("KEEP", 0, FROZEN, gate("slo", "PASS", judged("PASS", "few", value=0.001)))


def test_while_all_is_well_one_line_with_the_figures() -> None:
    assert Watcher().lines(WELL, AT) == [f"{AT} well churn v3: frozen yes; errors [120 s] 0.001 of 500 (2.0 s)"]


def test_what_is_bad_since_when_and_who_is_told() -> None:
    bad = gate(
        "slo",
        "FAIL",
        judged("FAIL", "errors 0.2: proven not <= 0.02", details={"began": "2027-01-15T07:58:15+00:00"}),
        judged("PASS", "p99 in time"),
    )
    blind = gate("canary", "ERROR", trouble="nothing answers there")
    reasons = ("slo: errors 0.2: proven not <= 0.02", "not rolled back: the last one was just now", "told: SEV2")
    assert Watcher().lines(looked("PAGE", 1, blind, bad, FROZEN, reasons=reasons), AT) == [
        f"{AT} PAGE churn v3: slo: errors 0.2: proven not <= 0.02 (2.0 s)",
        "    canary ERROR: nothing answers there",
        "    slo FAIL, since 2027-01-15T07:58:15+00:00",
        "      FAIL         errors 0.2: proven not <= 0.02",
        "      PASS         p99 in time",
        "    not rolled back: the last one was just now",
        "    told: SEV2",
    ]


def test_the_same_trouble_again_is_one_line_until_another_gate_or_verdict_is_in_it() -> None:
    """A gate that could not be judged at all has no figure, and is trouble all the same."""
    blind, slow = gate("canary", "ERROR", trouble="nothing answers"), judged("FAIL", "slow")
    watcher = Watcher()
    first = watcher.lines(looked("PAGE", 10, blind), AT)
    assert first[1] == "    canary ERROR: nothing answers"
    assert watcher.lines(looked("PAGE", 10, blind), AT) == [f"{AT} PAGE churn v3: still so: why (2.0 s)"]
    assert "    slo ERROR: no data" in watcher.lines(
        looked("PAGE", 10, blind, gate("slo", "ERROR", trouble="no data")), AT
    )
    assert "    slo FAIL: slow" in watcher.lines(looked("PAGE", 1, blind, gate("slo", "FAIL", slow)), AT)
    assert watcher.lines(WELL, AT)[0] == f"{AT} over: PAGE canary, slo"
    assert len(watcher.lines(WELL, AT)) == 1


def test_a_look_that_says_nothing_is_unknown_and_ends_with_what_it_printed() -> None:
    lines = Watcher().lines(Look(124, "", "the look took longer than 120 s", None, 120.0, "one\ntwo\n"), AT)
    assert lines == [f"{AT} UNKNOWN: the look took longer than 120 s (120.0 s)", "    one", "    two"]

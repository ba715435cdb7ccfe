"""How a verdict looks: a sign and a word beside every colour, so that no verdict is told by colour alone."""

from __future__ import annotations

from pytest_mlgates.verdict import Verdict

SIGN = {Verdict.PASS: "✓", Verdict.INCONCLUSIVE: "?", Verdict.ERROR: "!", Verdict.FAIL: "✕"}


def tone(verdict: Verdict | None) -> str:
    """The style of a verdict; of what is only shown and not judged the plain one."""
    return "plain" if verdict is None else verdict.name.lower()

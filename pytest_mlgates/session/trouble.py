"""What the exception that ended a gate means for its verdict."""

from __future__ import annotations

import pytest

from pytest_mlgates.errors import MlgatesError
from pytest_mlgates.verdict import Verdict


class NotRun(MlgatesError):
    """A gate that must not run, with the verdict that follows."""

    def __init__(self, verdict: Verdict, sentence: str) -> None:
        super().__init__(sentence)
        self.verdict = verdict


class VerdictReached(Exception):
    """Raised once, at the end of a gate that did not pass; its judgements have been recorded already."""


#: Their text says all there is to say, so pytest shows it without a traceback.
SELF_EXPLAINING = (MlgatesError, VerdictReached)


def trouble_of(raised: BaseException) -> tuple[Verdict, str] | None:
    """(verdict, sentence), or None where the judgements, or the report itself, say it."""
    if isinstance(raised, (VerdictReached, pytest.skip.Exception, pytest.xfail.Exception)):
        return None
    if isinstance(raised, NotRun):
        return raised.verdict, str(raised)
    if isinstance(raised, MlgatesError):
        return Verdict.ERROR, str(raised)
    if isinstance(raised, pytest.fail.Exception):
        return Verdict.FAIL, str(raised)
    if isinstance(raised, AssertionError):
        lines = str(raised).strip().splitlines()
        return Verdict.FAIL, f"the assertion failed: {lines[0] if lines else 'assert'}"
    return Verdict.ERROR, f"the gate crashed: {type(raised).__name__}: {raised}"[:500]

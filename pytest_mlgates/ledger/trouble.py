"""What can be wrong with a ledger, or with acting on it."""

from __future__ import annotations

from pytest_mlgates.errors import ActionFailed, MlgatesError


class LedgerBroken(MlgatesError):
    """The log cannot be relied on (entry deleted, altered, newer, recreated): hold and report (exit 10)."""


class MovedByHand(MlgatesError):
    """The reference means another version than the log says, and no interrupted action explains it (exit 10)."""

    def __init__(self, sentence: str, *, found: str, expected: str) -> None:
        super().__init__(sentence)
        self.found = found
        self.expected = expected


class OutcomeUnknown(ActionFailed):
    """Nobody can say yet whether the entry `operation` was written; the log will (exit 11, then reconcile)."""

    def __init__(self, sentence: str, *, operation: str) -> None:
        super().__init__(sentence)
        self.operation = operation

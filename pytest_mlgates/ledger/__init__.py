"""The ledger: one entry type, the append-only log as text facts, and its replay. Pure; it knows no registry."""

from pytest_mlgates.ledger.entry import CHANGES, MOVES, SCHEMA, Entry, Kind, now
from pytest_mlgates.ledger.replay import Fate, Ruling, State, replay
from pytest_mlgates.ledger.standing import (
    Standing,
    digest_on_record,
    rollback_target,
    rollback_targets,
    rolled_back,
    served,
    standing,
)
from pytest_mlgates.ledger.trouble import LedgerBroken, MovedByHand, OutcomeUnknown
from pytest_mlgates.ledger.wire import DIGEST, PREFIX, PROJECTED, SUPERSEDED, Record, digest, facts, record

__all__ = [
    "CHANGES",
    "DIGEST",
    "MOVES",
    "PREFIX",
    "PROJECTED",
    "SCHEMA",
    "SUPERSEDED",
    "Entry",
    "Fate",
    "Kind",
    "LedgerBroken",
    "MovedByHand",
    "OutcomeUnknown",
    "Record",
    "Ruling",
    "Standing",
    "State",
    "digest",
    "digest_on_record",
    "facts",
    "now",
    "record",
    "replay",
    "rollback_target",
    "rollback_targets",
    "rolled_back",
    "served",
    "standing",
]

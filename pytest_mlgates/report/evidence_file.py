"""evidence.json: everything needed to judge again, in a file whose bytes depend on the inputs alone.

Only the blocks ``measured_times`` and ``ran`` and the keys ending in ``_at`` differ between two such runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.decision import Decision, GateOutcome
from pytest_mlgates.evidence import plain
from pytest_mlgates.verdict import Judgement

SCHEMA = "https://pytest-mlgates.dev/schema/evidence/1"
FILE = "evidence.json"
#: What two runs on the same inputs need not have in common.
_PASSING = ("measured_times", "action", "ran", "sections")


def document(
    decision: Decision,
    outcomes: Mapping[str, GateOutcome],
    *,
    head: Mapping[str, Any],
    action: Mapping[str, Any] | None,
    times: Mapping[str, Any],
    ran: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The whole record as plain data. `head` says what was judged, under which settings, on what; `ran` by whom."""
    return {
        "schema": SCHEMA,
        "decision": {
            "action": str(decision.action),
            "verdict": decision.verdict.name,
            "reasons": list(decision.reasons),
            "flips": list(decision.flips),
            "exit": int(decision.exit),
        },
        "action": plain(action) if action is not None else None,
        **plain(head),
        "ran": dict(ran or {}),
        "gates": [_gate(outcome) for _, outcome in sorted(outcomes.items())],
        "measured_times": {"gates_s": {n: o.seconds for n, o in sorted(outcomes.items())}, **times},
    }


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write the record whole or not at all. Raises OSError."""
    from pytest_mlgates.cache import write_atomically

    file = folder / FILE
    write_atomically(file, text(document).encode())
    return file


def text(document: Mapping[str, Any]) -> str:
    """The record as the file has it."""
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of what two runs on the same inputs have in common; the same from the data and from the file."""
    lasting = {
        key: value for key, value in document.items() if key not in ("measured_times", "action", "ran", "sections")
    }
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _gate(outcome: GateOutcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "stage": outcome.stage,
        "place": outcome.at,
        "verdict": outcome.verdict.name,
        "sentence": outcome.sentence,
        "trouble": outcome.trouble,
        "judgements": [_judgement(judgement) for judgement in outcome.judgements],
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    finding = judgement.finding
    return {
        "evidence": plain(judgement.evidence),
        "verdict": finding.verdict.name,
        "sentence": finding.sentence,
        "limit": finding.limit,
    }

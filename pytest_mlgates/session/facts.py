"""What is true of a session beside its gates, for the decision."""

from __future__ import annotations

import time

from pytest_mlgates.decision import Facts, GateOutcome
from pytest_mlgates.ledger import rolled_back
from pytest_mlgates.live.guard import forbids
from pytest_mlgates.session.collected import Collected
from pytest_mlgates.session.prepared import Prepared


def facts_of(
    prepared: Prepared, heard: Collected, outcomes: dict[str, GateOutcome], exitstatus: int, collect_only: bool
) -> Facts:
    """The facts of one session; `exitstatus` is pytest's own, `heard` what its processes reported."""
    stopped = {2: "the session was interrupted before its end", 3: "pytest had an internal error"}
    uncollected = "; ".join(heard.uncollected.values())
    why = heard.usage_problem or uncollected or heard.interrupted or stopped.get(exitstatus, "")
    why = why or ("--collect-only judges nothing" if collect_only else "") or _unexplained(exitstatus, heard)
    pins = prepared.pins
    return Facts(
        phase=prepared.settings.phase,
        champion=str(pins.champion.version) if pins.champion else "",
        nothing=pins.nothing,
        problem=pins.problem,
        ledger=prepared.opening.trouble,
        rolled_back=_rolled_back(prepared),
        budget=prepared.budget.forbids(str(pins.challenger.version) if pins.challenger else ""),
        guard=forbids(pins.past, prepared.settings.live.cool_down_s, time.time()),
        stopped=why,
        hidden={name: heard.why_hidden(name) for name in prepared.required.names if name not in outcomes},
        other_failures=heard.other_failures(),
    )


def _unexplained(exitstatus: int, heard: Collected) -> str:
    """What another plugin says of the session by its exit code alone (a coverage limit, say), or ""."""
    if exitstatus == 1 and not heard.failed():
        return "pytest ends with exit code 1, and no test failed: another plugin says that the session did"
    return "" if 0 <= exitstatus <= 5 else f"the session ends with exit code {exitstatus}, which is none of pytest's"


def _rolled_back(prepared: Prepared) -> str:
    """Which rollback the challenger was taken out of service by, and the one way back, or ""."""
    challenger, state = prepared.pins.challenger, prepared.opening.state
    ruling = rolled_back(state, challenger.version.number, challenger.digest) if challenger and state else None
    if challenger is None or ruling is None:
        return ""
    left, number = ruling.entry.from_, challenger.version.number
    same = "" if left == number else f", whose files {challenger} has"
    return (
        f"v{left}{same} was rolled back from by {ruling.entry.actor} (ledger entry {ruling.number}: "
        f"{ruling.entry.reason}); only `mlgates promote {number} --override --reason ...` lets it serve again"
    )

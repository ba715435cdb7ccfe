"""Which message a finished run makes, and who hears of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.incident import Happened, Severity, live_severity
from pytest_mlgates.ports.notifier import Message

_ACTION_FAILED = 11
#: What a look that acts on nothing asks of people.
_TO_DO = {"PAGE": "somebody must decide", "REVIEW": "to be reviewed"}


def notice(run: Happened, notes: Sequence[str] = (), link: str = "") -> Message | None:
    """What people are told of `run`, or None when there is nothing to tell. `notes` are further lines: incidents,
    runbooks."""
    severity, what = _what(run)
    if not what:
        return None
    about = f"{run.model} v{run.challenger or run.champion}" if run.challenger or run.champion else run.model
    lines = [run.sentence, *([run.said] if run.said else []), *notes]
    key = "/".join((run.model, run.phase, run.action, run.champion, run.challenger, str(run.exit)))
    return Message(str(severity), f"[{severity}] {what}: {about}", "\n".join(lines), key, link)


def _what(run: Happened) -> tuple[Severity, str]:
    failed = run.exit == _ACTION_FAILED
    if run.phase == "live":
        words = {"ROLLBACK": "rolled back" if run.done else "BAD AND STILL SERVING", **_TO_DO}
        return live_severity(run), "ROLLBACK FAILED" if failed else words.get(run.action, "")
    if run.phase == "drill":
        if failed or run.verdict == "FAIL":
            return Severity.SEV3, "drill failed"
        return (Severity.SEV4, "") if run.verdict == "PASS" else (Severity.SEV4, "drill unproven")
    if failed:
        return Severity.SEV1, "PROMOTION FAILED"
    if run.action == "PROMOTE":
        return (Severity.SEV4, "promoted") if run.done else (Severity.SEV4, "")
    return (Severity.SEV4, "held") if run.action == "HOLD" else (Severity.SEV4, "")

"""After a run that acted: incidents are opened and closed, and people are told. No verdict depends on any of it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mlgates import extensions
from pytest_mlgates.aftermath import looked, retrain, runs
from pytest_mlgates.aftermath.notices import notice
from pytest_mlgates.aftermath.telling import Teller
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError
from pytest_mlgates.incident import Event, Happened, Kind, by_hand, follow, happened, runbook, stamped
from pytest_mlgates.incident.journal import Journal
from pytest_mlgates.ports.notifier import Message
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.report import evidence_file
from pytest_mlgates.settings import Settings


def aftermath(
    settings: Settings,
    document: Mapping[str, Any],
    exit_code: int,
    said: Sequence[str],
    environ: Mapping[str, str] = os.environ,
) -> list[str]:
    """Lines about what followed from a run whose evidence is `document`. Never raises."""
    try:
        run = happened(document, exit_code, said, evidence_file.digest(document), _well_before(settings, document))
        lines = [*_kept(settings, document, exit_code, environ), *recorded(settings, run)]
        return [*lines, *told(settings, run, lines, environ)]
    except Exception as problem:  # noqa: BLE001 - what was decided and done stands
        why = problem if isinstance(problem, MlgatesError) else f"{type(problem).__name__}: {problem}"
        return [f"what was done stands, but it could not be followed up: {why}"]


def recorded(settings: Settings, run: Happened) -> list[str]:
    """Open, add to and close incidents as `run` says; a line for each."""
    try:
        now, who = stamped(time.time()), actor()
        events = Journal(settings.incidents_file).add(lambda known: follow(run, known, time=now, actor=who))
    except CouldNotEvaluate as problem:
        return [f"no incident could be recorded: {problem}"]
    return [_line(event) for event in events if event.kind in (Kind.OPENED, Kind.CLOSED)]


def taken_back(settings: Settings, left: str, text: str) -> list[str]:
    """Add a person's own rollback from version `left` to the incidents about it; what went wrong, in a line."""
    proven, now = settings.cluster is not None, stamped(time.time())
    try:
        Journal(settings.incidents_file).add(
            lambda known: by_hand(known, settings.model, left, text, proven=proven, time=now, actor=actor())
        )
    except CouldNotEvaluate as problem:
        return [f"no incident could be added to: {problem}"]
    return []


def _well_before(settings: Settings, document: Mapping[str, Any]) -> str:
    """When the last look that acted found the same champion well; "" when it did not, or nobody knows."""
    this, last = runs.brief(document, 0), runs.kept(settings.runs_dir, settings.model).get("live", {})
    same = last.get("champion") == this["champion"] and this["phase"] == "live"
    return stamped(float(last["finished_at"])) if same and last.get("verdict") == "PASS" else ""


def _kept(settings: Settings, document: Mapping[str, Any], exit_code: int, environ: Mapping[str, str]) -> list[str]:
    run = runs.brief(document, exit_code)
    try:
        runs.keep(settings.runs_dir, run)
    except OSError as problem:
        return [f"the exporter cannot be told of this run: {problem.strerror}"]
    return teach_anew(settings, run, environ) if run["phase"] == "live" and settings.retrain.to else []


def teach_anew(settings: Settings, run: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Send the one event where drift and decay have come together; a line about it, or none."""
    from pytest_mlgates.adapters.watching.retrain_event import send_event

    policy, place = settings.retrain, settings.runs_dir / f"looks-{runs.mark(settings.model)}.json"
    try:
        with looked.held(place) as book:
            book.add(retrain.checked(run, policy), policy)
            event = retrain.event(settings.model, book.looks, book.told, policy)
            if event is None:
                return []
            send_event(policy, event, settings.base, environ)
            book.told.append(str(event["champion"]))
    except (CouldNotEvaluate, OSError) as problem:
        return [f"the event to teach the model anew could not be sent, and will be tried again: {problem}"]
    return [f"drift and decay together on {policy.checks} looks in a row: the event {policy.event!r} was sent"]


def told(settings: Settings, run: Happened, lines: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Tell people of `run`; what went wrong, in a line."""
    links = [f"runbook of {gate}: {link}" for gate in run.failed if (link := runbook.link(gate, settings.runbooks))]
    desk = teller(settings, environ)
    message = notice(run, [*lines, *links], desk.link())
    return [*send(desk, message), *extensions.notify(message, settings.notify.timeout_s)] if message else []


def send(desk: Teller, message: Message) -> list[str]:
    trouble = desk.tell(message, time.time())
    return [f"{trouble}; the decision stands"] if trouble else []


def teller(settings: Settings, environ: Mapping[str, str]) -> Teller:
    from pytest_mlgates.adapters.watching.apprise_notifier import AppriseNotifier

    notifier = AppriseNotifier(settings.notify.timeout_s)
    return Teller(settings.notify, notifier, settings.base / ".mlgates" / "notified.json", environ)


def _line(event: Event) -> str:
    if event.kind is Kind.CLOSED:
        return f"incident {event.incident} is closed: {event.text}"
    return f"incident {event.incident} ({event.severity}) is open: `mlgates incident show {event.incident}`"

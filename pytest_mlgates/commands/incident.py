"""`mlgates incident`: what went wrong, who took it on, when it was over, and the first draft of the post-mortem."""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Mapping
from pathlib import Path

from pytest_mlgates.commands.ledger_options import add_model, existing_book, opened
from pytest_mlgates.errors import MlgatesError, UsageError
from pytest_mlgates.incident import (
    Event,
    Incident,
    Kind,
    Moment,
    State,
    draft,
    handover,
    runbook,
    seconds,
    stamped,
    timeline,
)
from pytest_mlgates.incident.journal import Journal
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.settings import Settings, load

HELP = "incidents: list, show, take on, note, close; post-mortem and hand-over drafts"


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = what.add_parser("list", help="all incidents, newest first")
    listed.add_argument("--open", action="store_true", help="only those that are not closed")
    for name, words in (("show", "one incident with its timeline"), ("postmortem", "a first draft in Markdown")):
        what.add_parser(name, help=words).add_argument("number", type=int)
    note = what.add_parser("note", help="add what was seen, tried or found")
    note.add_argument("--began", default="", metavar="TIME", help="when the trouble itself began, ISO 8601 with a zone")
    for name, words in (("ack", "take it on"), ("close", "end it by hand; green gates end it by themselves")):
        what.add_parser(name, help=words)
    for name in ("note", "ack", "close"):
        own = what.choices[name]
        own.add_argument("number", type=int)
        own.add_argument(
            "text", nargs="?" if name == "ack" else None, default="", help="in words that still help later"
        )
    over = what.add_parser("handover", help="what the next person on call must know")
    over.add_argument("--hours", type=float, default=24.0, help="how far to look back (default 24)")
    for own in what.choices.values():
        add_model(own)


def run(given: argparse.Namespace) -> int:
    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    journal = Journal(settings.incidents_file)
    if given.what == "list":
        return _list(settings, journal, given.open)
    if given.what == "handover":
        return _hand_over(settings, journal, given)
    if given.what in ("show", "postmortem"):
        incident = _of(journal.incidents(), given.number, settings)
        moments, missing = _ledger(given)
        links = {gate: link for gate in incident.gates if (link := runbook.link(gate, settings.runbooks))}
        if given.what == "postmortem":
            print(draft(incident, timeline(incident, moments), links, missing=missing), end="")
        else:
            _show(incident, timeline(incident, moments), links, missing)
        return 0
    return _add(settings, journal, given)


def _list(settings: Settings, journal: Journal, only_open: bool) -> int:
    found = [i for i in journal.incidents().values() if not (only_open and i.state is State.CLOSED)]
    for incident in reversed(found):
        print(f"{incident.number:<4} {incident.severity} {incident.state:<12} {incident.opened[:16]} {incident.model}")
        print(f"     {_one_line(incident.title)}")
    if not found:
        print(f"no {'open ' if only_open else ''}incident in {settings.incidents_file}")
    return 0


def _show(incident: Incident, moments: tuple[Moment, ...], links: Mapping[str, str], missing: str) -> None:
    print(f"incident {incident.number}: {incident.model}, {incident.severity}, {incident.state}")
    print(f"  {_one_line(incident.title)}")
    for moment in moments:
        by = f" ({moment.actor})" if moment.actor else ""
        print(f"  {moment.time}  {_one_line(moment.what)}{by}, {moment.where}")
    for gate, link in links.items():
        print(f"  runbook of {gate}: {link}")
    if missing:
        print(f"  {missing}")


def _hand_over(settings: Settings, journal: Journal, given: argparse.Namespace) -> int:
    moments, missing = _ledger(given)
    today = datetime.datetime.now(datetime.UTC).date()
    waived = {waiver.gate: waiver.reason for waiver in settings.waivers if waiver.active(today)}
    known = journal.incidents().values()
    print(handover(settings.model, known, moments, waived, now=time.time(), hours=given.hours, missing=missing), end="")
    return 0


def _add(settings: Settings, journal: Journal, given: argparse.Namespace) -> int:
    kind = {"note": Kind.NOTE, "ack": Kind.ACKNOWLEDGED, "close": Kind.CLOSED}[given.what]
    text = given.text.strip() or ("taken on" if kind is Kind.ACKNOWLEDGED else "")
    if not text:
        raise UsageError("the text is empty: say it in words that still help in a year")
    began = getattr(given, "began", "")
    if began:
        try:
            began = stamped(seconds(began))
        except ValueError as problem:
            raise UsageError(f"--began: {problem}") from None

    def rule(known: Mapping[int, Incident]) -> list[Event]:
        incident = _of(known, given.number, settings)
        if kind is not Kind.NOTE and incident.state is State.CLOSED:
            raise UsageError(
                f"incident {given.number} was closed at {incident.closed}; `mlgates incident note` adds to it"
            )
        if kind is Kind.ACKNOWLEDGED and incident.acknowledged:
            raise UsageError(f"incident {given.number} was taken on by {incident.acknowledged_by} already")
        return [Event(given.number, kind, stamped(time.time()), actor(), text, began=began)]

    journal.add(rule)
    print(f"incident {given.number}: {text if kind is Kind.NOTE else f'{kind} by {actor()}'}")
    return 0


def _of(known: Mapping[int, Incident], number: int, settings: Settings) -> Incident:
    if number in known:
        return known[number]
    there = f"known: {', '.join(map(str, known))}" if known else "there is none yet"
    raise UsageError(f"no incident {number} in {settings.incidents_file}; {there}")


def _ledger(given: argparse.Namespace) -> tuple[list[Moment], str]:
    """What the ledger knows; without it the incident is shown all the same, and the gap is said."""
    try:
        state = existing_book(*opened(given)).state
    except MlgatesError as problem:
        return [], f"what the ledger knows is missing here: {problem}"
    moments = []
    for ruling in state.rulings:
        entry = ruling.record.entry
        if entry is not None:
            way = "to" if entry.kind == "rollback" else "of"
            subject = f" {way} v{entry.to}" if entry.to else ""
            fate = "" if ruling.fate in ("counts", "noted") else f", {ruling.fate}"
            what = f"{entry.kind}{subject}{fate}: {entry.reason}"
            made = ruling.champion if ruling.champion != ruling.before else ""
            moments.append(Moment(entry.time, what, entry.actor, f"ledger entry {ruling.number}", made))
    return moments, ""


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())

"""What a person reads at the end of a session: the gates, the decision, and what was done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_mlgates.promotion.actor import below_workspace
from pytest_mlgates.report import terminal
from pytest_mlgates.report.annotations import workflow_commands
from pytest_mlgates.report.spoken import spoken
from pytest_mlgates.session.heading import runbooks
from pytest_mlgates.session.progress import COLOUR

if TYPE_CHECKING:
    from pytest_mlgates.session.outcome import Outcome


def show(outcome: Outcome, reporter: pytest.TerminalReporter) -> None:
    """Write it all to the terminal. Nothing is decided here."""
    prepared, outcomes, decision = outcome.prepared, outcome.outcomes, outcome.decision
    width = reporter._tw.fullwidth
    required = prepared.required
    held = terminal.shown(outcomes.values(), reporter.verbosity)
    if held:
        reporter.section("release gates", sep="=")
        for line, verdict in terminal.table(held, required.waived, width):
            reporter.write_line(spoken(line), **({} if verdict is None else {COLOUR[verdict]: True}))
        reporter.write_line("")
    plain = list(terminal.findings(outcomes.values())) if reporter.verbosity > 0 else []
    plain += [*terminal.timeline(outcomes.values()), *terminal.to_paste(held)]
    if reporter.verbosity < 0:  # then there was no header to say it in
        plain += prepared.repairs()
    for line in plain:
        reporter.write_line(spoken(line))
    if prepared.opening.override:
        reporter.write_line(spoken(f"OVERRIDE: {prepared.opening.override}"), red=True)
    said = terminal.decision_lines(
        decision,
        _subject(outcome),
        applied=outcome.applied,
        waived=required.waived,
        expired=required.expired,
        todo=terminal.todo(outcomes.values(), required.waived, runbooks(prepared)),
        unasked=required.unasked if outcomes and reporter.verbosity >= 0 else (),
        width=width,
    )
    colour = COLOUR[decision.verdict]
    for number, line in enumerate(said):
        reporter.write_line(spoken(line), **({"bold": True, colour: True} if number == 0 else {}))
    for line in outcome.lines:
        reporter.write_line(spoken(f"  {line}"))
    if os.environ.get("GITHUB_ACTIONS") == "true" and outcomes:
        for line in workflow_commands(outcome.document(outcome.told), below_workspace(reporter.config.rootpath)):
            reporter.write_line(line)


def _subject(outcome: Outcome) -> str:
    """Whom the decision is about."""
    pins, settings = outcome.prepared.pins, outcome.prepared.settings
    return str(pins.challenger or (pins.champion if settings.phase == "live" else None) or settings.model)

"""The end of a session on the controller: decide, write the evidence, act, write what was done."""

from __future__ import annotations

import datetime
import os
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_mlgates import extensions
from pytest_mlgates.aftermath.steps import aftermath
from pytest_mlgates.decision import Action, Decision, Exit, GateOutcome, decide
from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import ActionFailed, ChampionMoved
from pytest_mlgates.policy import STAGES
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion import audit
from pytest_mlgates.promotion.action import Done, Order, act, drilled, record
from pytest_mlgates.promotion.actor import actor, ci_run
from pytest_mlgates.promotion.proof import prove
from pytest_mlgates.publish.card import Promotion
from pytest_mlgates.publish.files import publish
from pytest_mlgates.publish.record import attach_record
from pytest_mlgates.report import evidence_file
from pytest_mlgates.session.collected import Collected
from pytest_mlgates.session.drilled import left_behind, on_record
from pytest_mlgates.session.facts import facts_of
from pytest_mlgates.session.heading import heading
from pytest_mlgates.session.prepared import Prepared
from pytest_mlgates.verdict import Verdict
from pytest_mlgates.watch.watcher import STARTS


@dataclass
class Outcome:
    """What a session came to. `exit_code` is final after `carry_out`."""

    prepared: Prepared
    outcomes: dict[str, GateOutcome]
    decision: Decision
    exit_code: int
    lines: list[str] = field(default_factory=list)
    applied: bool = False
    #: Tables that plugins add to the report.
    sections: list[dict[str, Any]] = field(default_factory=list)
    #: What the evidence file says was done.
    told: dict[str, Any] | None = None
    #: When the gates had spoken: what is done on it may take minutes.
    judged_at: float = field(default_factory=time.time)

    @classmethod
    def of(cls, prepared: Prepared, heard: Collected, exitstatus: int, *, collect_only: bool) -> Outcome:
        outcomes = dict(sorted(heard.outcomes().items(), key=lambda item: _order(prepared, item[1])))
        decision = decide(
            prepared.required.names,
            prepared.required.waived,
            outcomes,
            facts_of(prepared, heard, outcomes, exitstatus, collect_only),
        )
        # pytest.exit() may ask for 0; a gate does not oblige. A file that cannot be collected interrupts pytest, but
        # not its workers.
        if (heard.interrupted and exitstatus == 0) or heard.uncollected:
            exitstatus = int(pytest.ExitCode.INTERRUPTED)
        own = exitstatus in (2, 3, 4) or (exitstatus == 5 and decision.action is not Action.NOTHING)
        code = 4 if heard.usage_problem else exitstatus if own else int(decision.exit)
        left = left_behind(outcomes)
        if left and not own:
            code = int(Exit.ACTION_FAILED)
        return cls(prepared, outcomes, decision, code, [f"INCIDENT: {left}"] if left else [])

    def carry_out(self) -> None:
        """Evidence first: what cannot be recorded is not done."""
        if self.prepared.apply and self.prepared.opening.did:
            self._keep_mirror()
        if self.decision.action is Action.NOTHING and not self.outcomes:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # a user's `filterwarnings = error` is about the user's tests
            # An interrupted session says nothing of the challenger, so it leaves no note on it either.
            self.sections, troubles = extensions.sections(self.document(None))
            self.lines += troubles
            acts = (self.prepared.apply or self.prepared.record) and self.exit_code not in (2, 3, 4)
            written = self._write(None)
            if written and acts:
                self._act()
            if written:
                self.lines += publish(self.document(self.told), self.prepared.settings.report_dir, os.environ)
            if acts:
                done = self.document({"done": self.applied})
                self.lines += aftermath(self.prepared.settings, done, int(self.exit_code), self.lines)

    def _act(self) -> None:
        prepared = self.prepared
        if prepared.doors is None:
            return
        try:
            done = self._carried_out(prepared.doors)
        except ChampionMoved as moved:
            self._hold(str(moved), Action.KEEP)
            done = self._held_after_all(str(moved), prepared.doors)
        except ActionFailed as failed:
            self.exit_code = Exit.ACTION_FAILED
            self.lines.append(f"ACTION FAILED: {failed}")
            self._write({"done": False, "sentence": str(failed)})
            return
        self.applied = prepared.apply and self.decision.action in (Action.PROMOTE, Action.ROLLBACK)
        unattached = self._attach(prepared.doors, done) if self.decision.action is Action.PROMOTE else ""
        self.lines += [line for line in (done.sentence, done.trouble, unattached) if line]
        self._keep_mirror()
        if not self._write({"done": self.applied, "sentence": done.sentence, "trouble": done.trouble}) and self.applied:
            self.exit_code = Exit.ACTION_FAILED

    def _carried_out(self, doors: Doors) -> Done:
        order = self._order()
        try:
            if self.prepared.settings.phase == "drill":
                return drilled(order, doors, *on_record(self.decision, self.outcomes))
            return (act if self.prepared.apply else record)(order, doors)
        except (ChampionMoved, ActionFailed):
            raise
        except Exception as problem:
            # Whatever broke, nobody knows how far it came.
            raise ActionFailed(
                f"it broke off: {type(problem).__name__}: {problem}; `mlgates status` shows what was done"
            ) from problem

    def _held_after_all(self, why: str, doors: Doors) -> Done:
        """The challenger was judged all the same, which spends the golden set's budget: that is recorded."""
        if self.prepared.settings.phase == "live":
            return Done(why)
        try:
            held = act(self._order(), doors)
        except (ChampionMoved, ActionFailed) as problem:
            return Done(why, f"that it was judged could not be recorded: {problem}")
        return Done(why, held.trouble or held.sentence)

    def _keep_mirror(self) -> None:
        """The mirror follows whatever was written; that it could not is said, and what was done stands."""
        prepared = self.prepared
        if prepared.doors is not None and prepared.settings.audit:
            unkept = audit.keep(prepared.settings.audit_file, prepared.doors.log)
            self.lines += [unkept] if unkept else []

    def _attach(self, doors: Doors, done: Done) -> str:
        """Evidence and model card go to the run that the ledger entry links to; what went wrong, or ""."""
        challenger = self.prepared.pins.challenger
        if challenger is None or not done.entry:
            return ""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        made = Promotion(actor(), now, done.entry)
        return attach_record(doors.registry, challenger.version, self.document({"sentence": done.sentence}), made)

    def _order(self) -> Order:
        prepared = self.prepared
        passed = {name for name, outcome in self.outcomes.items() if outcome.verdict is Verdict.PASS}
        waived = tuple(name for name in prepared.required.waived if name not in passed)
        return Order(
            self.decision,
            prepared.pins,
            prepared.settings,
            actor(),
            prepared.opening.after,
            evidence_file.digest(self.document(None)),
            waived if self.decision.action is Action.PROMOTE else (),
            prepared.workload,
            self._prove,
            lambda said: print(f"\n{STARTS}: {said}", flush=True),
        )

    def _prove(self, version: Version, recorded: str) -> str:
        """A version that is gone back to is tried first; without a golden set its files are all that is known."""
        assert self.prepared.doors is not None
        return prove(self.prepared.doors, self.prepared.settings, version, recorded, asked=self._has_golden())

    def _has_golden(self) -> bool:
        return self.prepared.pins.golden is not None

    def _hold(self, reason: str, in_service: Action = Action.PAGE) -> None:
        """Nothing is done after all; of what serves a person is told, or the next look sees."""
        action = in_service if self.prepared.settings.phase == "live" else Action.HOLD
        self.decision = Decision(action, Verdict.INCONCLUSIVE, (reason,))
        self.exit_code = int(self.decision.exit)

    def document(self, action: dict[str, Any] | None) -> dict[str, Any]:
        """The evidence; `action` says what was done, None before that is known."""
        times = {"judged_at": self.judged_at, "finished_at": time.time()}
        return evidence_file.document(
            self.decision,
            self.outcomes,
            head=heading(self.prepared) | ({"sections": self.sections} if self.sections else {}),
            action=action,
            times=times,
            ran={"by": actor(), "ci_run": ci_run()},
        )

    def _write(self, action: dict[str, Any] | None) -> bool:
        prepared = self.prepared
        try:
            file = evidence_file.write(self.document(action), prepared.settings.report_dir)
        except OSError as problem:
            place = prepared.settings.report_dir
            sentence = f"the evidence could not be written to {place} ({problem.strerror})"
            if action is None:
                self._hold(f"{sentence}: what cannot be recorded is not done")
            else:
                self.lines.append(sentence)
            return False
        self.told = action
        if not any(line.startswith("evidence: ") for line in self.lines):
            self.lines.append(f"evidence: {file}")
        return True


def _order(prepared: Prepared, outcome: GateOutcome) -> tuple[int, int, str]:
    stage = STAGES.index(outcome.stage) if outcome.stage in STAGES else len(STAGES)
    asked = prepared.required.asked
    return stage, asked.index(outcome.name) if outcome.name in asked else len(asked), outcome.name

"""An alert looked into: still true by Prometheus? Then one look of the live phase, which rolls back or does not; both
its start and its end are told. Whoever posts it decides nothing."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError
from pytest_mlgates.ports.notifier import Message
from pytest_mlgates.watch.look import Look
from pytest_mlgates.webhook import Alert, Desk, Job, Refused, Stage

#: Different alerts that wait at the same time.
_QUEUE = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is champion by the ledger, by which entry, what that entry was, and whether alias and ledger agree."""

    champion: str
    entry: int
    kind: str
    left: str
    settled: bool


class Outside(Protocol):
    """What an alert is looked into with. Everything but `tell`, `worst` and `seen` raises CouldNotEvaluate."""

    def firing_since(self, alert: Alert) -> str:
        """By Prometheus; "" when it does not fire."""

    def standing(self) -> Standing:
        """What the ledger and the alias say now."""

    def look(self) -> Look:
        """One look of the live phase that may act."""

    def tell(self, message: Message) -> None:
        """Never raises."""

    def worst(self, key: str, sentence: str, champion: str) -> None:
        """Open an incident of the worst kind. Never raises."""

    def seen(self, job: Job) -> None:
        """Add to the open incidents of that champion since when the alert was active. Never raises."""


class Answering:
    """Alerts in, at most one rollback each out. One is looked into at a time, by `work`, in a thread of its own."""

    def __init__(
        self,
        model: str,
        desk: Desk,
        outside: Outside,
        *,
        again: float,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.model, self.desk, self.outside, self.again = model, desk, outside, again
        self.say, self.clock = say, clock
        self._waiting: OrderedDict[str, Alert] = OrderedDict()
        self._lately: OrderedDict[str, float] = OrderedDict()
        self._change = threading.Condition()
        self._ended = False

    def take(self, alerts: list[Alert]) -> int:
        """How many of `alerts` will be looked into; those that wait, or were lately, will not again. Raises Refused."""
        with self._change:
            new = [alert for alert in alerts if self._is_new(alert.fingerprint)]
            if len(self._waiting) + len(new) > _QUEUE:
                raise Refused(503, "too many different alerts wait already")
            self._waiting.update({alert.fingerprint: alert for alert in new})
            self._change.notify()
        return len(new)

    def work(self) -> None:
        """Until `end`."""
        while True:
            with self._change:
                while not self._waiting and not self._ended:
                    self._change.wait()
                if self._ended:
                    return
                fingerprint, alert = next(iter(self._waiting.items()))
            try:
                self.say(self.look_into(alert))
            except Exception as problem:  # noqa: BLE001 - the next alert must be looked into all the same
                self._blind(alert, f"{type(problem).__name__}: {problem}")
            with self._change:
                # Only now: a copy that came meanwhile is about what was just looked into.
                self._waiting.pop(fingerprint, None)
                self._lately[fingerprint] = self.clock()
                while len(self._lately) > self.desk.most:
                    self._lately.popitem(last=False)

    def end(self) -> None:
        with self._change:
            self._ended = True
            self._change.notify()

    @property
    def idle(self) -> bool:
        return not self._waiting

    def look_into(self, alert: Alert) -> str:
        """What became of it, in a sentence."""
        try:
            active = self.outside.firing_since(alert)
        except CouldNotEvaluate as problem:
            return self._blind(alert, str(problem))
        if not active:
            return f"{alert.name}: Prometheus says that it does not fire; nothing was done"
        key = f"{alert.fingerprint}/{active}"
        known = self.desk.jobs.get(key)
        if known is not None and known.final:
            return f"{alert.name} since {active}: {known.stage} before ({known.sentence}); nothing is done twice"
        if known is not None and known.stage is Stage.HELD and self.clock() - known.at < self.again:
            return f"{alert.name} since {active}: held a moment ago"
        if known is not None and known.stage is Stage.BEGUN:
            return self._finish(key, known)
        try:
            before = self.outside.standing()
        except MlgatesError as problem:
            return self._blind(alert, f"who is champion is not known, so nothing was done: {problem}")
        wanted = alert.labels.get("version", before.champion)
        if wanted != before.champion:
            return f"{alert.name} is about v{wanted}, and v{before.champion} is champion; nothing was done"
        job = Job(alert.name, dict(alert.labels), active, Stage.BEGUN, self.clock(), before.champion, before.entry)
        self.desk.put(key, job)
        self._tell("SEV2", f"{alert.name}: looking into it", f"it fires since {active}; v{before.champion} serves", key)
        return self._looked(key, job)

    def recover(self) -> list[str]:
        """What a server that was killed had begun is finished or reported; a sentence each."""
        return [self._finish(key, job) for key, job in self.desk.begun().items()]

    def _looked(self, key: str, job: Job) -> str:
        return self._ended_with(key, job, self.outside.look())

    def _finish(self, key: str, job: Job) -> str:
        try:
            now = self.outside.standing()
        except MlgatesError as problem:
            return self._blind(Alert(job.name, job.labels, ""), f"what was begun cannot be finished yet: {problem}")
        if now.entry == job.entry and now.settled:
            # Killed before anything was done: the alert is looked into from the beginning.
            self.desk.put(key, _with(job, Stage.HELD, 0.0, "the server ended before anything was done"))
            return self.look_into(Alert(job.name, job.labels, ""))
        if now.entry != job.entry and now.settled and _back(now, job):
            return self._done(key, job, f"v{now.champion} serves again, as the ledger says; the server had been killed")
        # Cut short in the middle: any run that may act finishes what an earlier one began, before it judges.
        return self._ended_with(key, job, self.outside.look())

    def _ended_with(self, key: str, job: Job, look: Look) -> str:
        try:
            now = self.outside.standing()
        except MlgatesError as problem:
            return self._failed(key, job, f"nobody knows what serves: {problem}. The look: {look.sentence}")
        if not now.settled:
            return self._failed(key, job, f"alias and ledger do not agree. The look: {look.sentence}")
        if now.entry != job.entry and _back(now, job):
            if look.exit in (11, 124) or look.exit < 0:
                return self._failed(key, job, f"rolled back by the ledger, but not verified: {look.sentence}")
            return self._done(key, job, look.sentence)
        if look.exit == 11 or look.action == "ROLLBACK":
            return self._failed(key, job, look.sentence)
        said = look.sentence if look.action else f"nothing is known: {look.sentence}"
        self.desk.put(key, _with(job, Stage.HELD, self.clock(), said))
        self._tell(
            "SEV2" if look.action else "SEV3", f"{job.name}: held, {look.action or 'blind'}", said, f"{key}/held"
        )
        return f"{job.name}: held ({look.action or 'no decision'}): {said}"

    def _done(self, key: str, job: Job, sentence: str) -> str:
        self.desk.put(key, _with(job, Stage.DONE, self.clock(), sentence))
        self.outside.seen(job)
        self._tell("SEV2", f"{job.name}: rolled back from v{job.champion}", sentence, f"{key}/done")
        return f"{job.name}: rolled back from v{job.champion}: {sentence}"

    def _failed(self, key: str, job: Job, sentence: str) -> str:
        self.desk.put(key, _with(job, Stage.FAILED, self.clock(), sentence))
        self.outside.worst(key, f"{job.name}: the rollback failed or could not be verified: {sentence}", job.champion)
        self.outside.seen(job)
        self._tell("SEV1", f"P0 {job.name}: ROLLBACK FAILED OR NOT VERIFIED", sentence, f"{key}/failed")
        return f"{job.name}: P0, the rollback failed or could not be verified: {sentence}"

    def _blind(self, alert: Alert, why: str) -> str:
        self._tell("SEV3", f"{alert.name}: could not be looked into", why, f"{alert.fingerprint}/blind")
        return f"{alert.name}: could not be looked into, and nothing was done: {why}"

    def _tell(self, severity: str, title: str, body: str, key: str) -> None:
        self.outside.tell(Message(severity, f"[{severity}] {self.model}: {title}", body, f"webhook/{key}"))

    def _is_new(self, fingerprint: str) -> bool:
        seen = self._lately.get(fingerprint)
        return fingerprint not in self._waiting and (seen is None or self.clock() - seen >= self.again)


def _with(job: Job, stage: Stage, at: float, sentence: str) -> Job:
    return Job(job.name, job.labels, job.active, stage, at, job.champion, job.entry, sentence[:2000])


def _back(now: Standing, job: Job) -> bool:
    """The last change took the champion out of service that the alert was about."""
    return now.kind == "rollback" and now.left == job.champion

"""`mlgates webhook`: takes Alertmanager's posts, asks Prometheus itself, and looks; what is proven bad goes back."""

from __future__ import annotations

import argparse
import fcntl
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.serving.http_endpoint import secret_headers
from pytest_mlgates.adapters.watching.alerts import PrometheusAlerts
from pytest_mlgates.adapters.watching.webhook_server import serve
from pytest_mlgates.aftermath.steps import teller
from pytest_mlgates.doors.outside import open_doors, registry_uri
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError, UsageError
from pytest_mlgates.incident import Event, Incident, Kind, Severity, Source, State, seconds, stamped
from pytest_mlgates.incident.journal import Journal
from pytest_mlgates.ports.notifier import Message
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.book import read
from pytest_mlgates.settings import Settings, load
from pytest_mlgates.watch.look import Look, look
from pytest_mlgates.webhook import Alert, Desk, Door, Job, Refused, alerts
from pytest_mlgates.webhook.answering import Answering, Standing

HELP = "take Alertmanager's posts; what is proven bad is rolled back"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="which model of the settings")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=9095, help="0: any free one (default 9095)")


def run(given: argparse.Namespace) -> int:
    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    door, outside = door_of(settings, os.environ), Outdoors(settings, os.environ)
    folder = settings.base / ".mlgates" / "webhook"
    with _alone(folder):
        desk = Desk(folder / "alerts.json", settings.webhook.remember)
        answering = Answering(settings.model, desk, outside, again=settings.webhook.again_s, say=_say)
        for sentence in answering.recover():
            _say(f"left by a server that ended: {sentence}")
        worker = threading.Thread(target=answering.work, daemon=True)
        worker.start()
        take = taking(settings, door, answering)
        try:
            serve(take, given.host, given.port, settings.webhook.limit_bytes, lambda url: _say(f"listening at {url}"))
        finally:
            answering.end()
            worker.join(settings.webhook.look_s + 30)
    return 0


def door_of(settings: Settings, environ: Mapping[str, str]) -> Door:
    """Raises UsageError without a secret: whoever can reach the port could start a rollback."""
    told = settings.webhook
    secrets = {}
    for key in ("token", "hmac"):
        name = getattr(told, key).removeprefix("env:")
        secrets[key] = environ.get(name, "") if name else ""
        if name and len(secrets[key]) < 16:
            have = "is not set" if not secrets[key] else "is shorter than 16 characters"
            raise UsageError(f"{name}, which {key} in [tool.mlgates.webhook] names, {have}")
    try:
        return Door(secrets["token"], secrets["hmac"], told.replay_s)
    except ValueError:
        raise UsageError(
            'the webhook takes posts from nobody yet: write [tool.mlgates.webhook] token = "env:NAME" (a bearer token, '
            'as Alertmanager sends it) or hmac = "env:NAME"'
        ) from None


def taking(settings: Settings, door: Door, answering: Answering) -> Any:
    told = settings.webhook

    def take(headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            door.admit(headers, body, time.time())
            found = alerts(body, settings.model, told.model_label, told.alerts)
            return 202, {"about": settings.model, "alerts": len(found), "taken": answering.take(found)}
        except Refused as refused:
            return refused.status, {"error": str(refused)}

    return take


class Outdoors:
    """The real outside of one model."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        told = settings.prometheus
        url = settings.webhook.prometheus or told.url
        if not url:
            raise UsageError(
                'an alert is checked against Prometheus itself: write [tool.mlgates.prometheus] url = "http://host:9090"'
            )
        self.settings, self.environ = settings, environ
        headers = secret_headers(told.headers, environ)
        ca = str(settings.base / told.ca) if told.ca else ""
        self._prometheus = PrometheusAlerts(url, headers, told.timeout, verify_tls=told.verify_tls, ca=ca)
        self._teller = teller(settings, environ)

    def firing_since(self, alert: Alert) -> str:
        return self._prometheus.firing_since(alert.labels)

    def standing(self) -> Standing:
        settings = self.settings
        doors = open_doors(settings, registry_uri(settings, self.environ))
        book = read(doors.log)
        if book is None:
            raise CouldNotEvaluate(f"{settings.model} has no ledger, so nothing can be rolled back")
        state = book.state
        present = doors.registry.find(settings.champion)
        found = present.number if present else ""
        last = next((ruling.entry for ruling in reversed(state.counted)), None)
        settled = found == state.champion and not state.pending
        kind, left = (str(last.kind), last.from_) if last else ("", "")
        return Standing(state.champion, state.last, kind, left, settled)

    def look(self) -> Look:
        settings = self.settings
        limit, options = settings.webhook.look_s, ("--mlgate-model", settings.model)
        return look(settings.base, apply=True, limit_s=limit, options=options)

    def tell(self, message: Message) -> None:
        trouble = self._teller.tell(message, time.time())
        if trouble:
            _say(trouble)

    def worst(self, key: str, sentence: str, champion: str) -> None:
        try:
            Journal(self.settings.incidents_file).add(lambda known: self._opened(known, key, sentence, champion))
        except MlgatesError as problem:
            _say(f"no incident could be recorded: {problem}")

    def seen(self, job: Job) -> None:
        try:
            began = stamped(seconds(job.active))
            text = f"{job.name} was active, says Prometheus, since {job.active}"
            Journal(self.settings.incidents_file).add(lambda known: self._seen(known, job, text, began))
        except (MlgatesError, ValueError) as problem:
            _say(f"the incident does not say since when the alert was active: {problem}")

    def _seen(self, known: Mapping[int, Incident], job: Job, text: str, began: str) -> list[Event]:
        return [
            Event(number, Kind.ALERT, stamped(time.time()), actor(), text, began=began if not incident.began else "")
            for number, incident in known.items()
            if incident.model == self.settings.model
            and incident.version == job.champion
            and incident.state is not State.CLOSED
            and not any(event.kind is Kind.ALERT and event.text == text for event in incident.events)
        ]

    def _opened(self, known: Mapping[int, Incident], key: str, sentence: str, champion: str) -> list[Event]:
        key = f"webhook: {key}"
        if any(incident.key == key and incident.state is not State.CLOSED for incident in known.values()):
            return []
        number, worst, source = max(known, default=0) + 1, str(Severity.SEV1), str(Source.WEBHOOK)
        return [
            Event(
                number,
                Kind.OPENED,
                stamped(time.time()),
                actor(),
                sentence,
                model=self.settings.model,
                severity=worst,
                source=source,
                key=key,
                version=champion,
            )
        ]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two servers in one repository would act on one alert twice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"another `mlgates webhook` runs in {folder.parent.parent}: end it first") from None
            yield
    except OSError as problem:
        raise UsageError(f"{folder} cannot be written to: {problem.strerror}") from None


def _say(sentence: str) -> None:
    shown = "".join(char if char.isprintable() else " " for char in sentence)
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {shown}", flush=True)

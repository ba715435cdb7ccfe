"""Who is let in, which alerts count, one rollback an alert whatever comes, and what a killed server leaves."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adapters.watching.alerts import PrometheusAlerts
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Message
from pytest_mlgates.watch.look import Look
from pytest_mlgates.webhook import Alert, Desk, Door, Job, Refused, Stage, alerts, signature
from pytest_mlgates.webhook.answering import Answering, Standing

NOW = 1_800_000_000.0
LABELS = {"alertname": "MlgatesErrorsHigh", "model": "churn", "component": "model", "severity": "critical"}
ALERT = Alert(LABELS["alertname"], LABELS, "2027-01-15T08:00:00Z")
SECRET = b"a secret of some length"


def post(*found: dict[str, Any], **more: Any) -> bytes:
    told = found or ({"status": "firing", "labels": LABELS, "startsAt": "2027-01-15T08:00:00Z"},)
    return json.dumps({"version": "4", "alerts": told, **more}).encode()


def firing(**labels: str) -> dict[str, Any]:
    return {"status": "firing", "labels": {**LABELS, **labels}, "startsAt": "2027-01-15T08:00:00Z"}


# Who is let in


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", "Basic right-token", "right-token", "Bearer Right-token"]
)
def test_a_wrong_token_is_refused(given: str) -> None:
    door = Door("right-token", "", 300)
    with pytest.raises(Refused, match="the token is missing or wrong") as refused:
        door.admit({"authorization": given}, b"{}", NOW)
    assert refused.value.status == 401
    door.admit({"authorization": "Bearer right-token"}, b"{}", NOW)


def signed(body: bytes, at: float = NOW, secret: bytes = SECRET) -> dict[str, str]:
    stamp = f"{at:.0f}"
    return {"x-mlgates-timestamp": stamp, "x-mlgates-signature": signature(secret, stamp, body)}


def test_a_signed_post_is_taken_once_and_only_while_it_is_fresh() -> None:
    door = Door("", SECRET.decode(), 300)
    door.admit(signed(b"a"), b"a", NOW)
    for headers, body, sentence in (
        (signed(b"a"), b"a", "a replay"),
        (signed(b"b"), b"c", "the signature is missing or wrong"),
        (signed(b"b", secret=b"other"), b"b", "the signature is missing or wrong"),
        (signed(b"b", NOW - 301), b"b", "signed more than 300 s ago"),
        (signed(b"b", NOW + 301), b"b", "or the clocks differ"),
        ({}, b"b", "the signature is missing or wrong"),
    ):
        with pytest.raises(Refused, match=sentence):
            door.admit(headers, body, NOW)
    door.admit(signed(b"a", NOW + 1), b"a", NOW + 1)


def test_with_token_and_signature_both_are_asked_for() -> None:
    door = Door("right-token", SECRET.decode(), 300)
    for headers in ({"authorization": "Bearer right-token"}, signed(b"a")):
        with pytest.raises(Refused):
            door.admit(headers, b"a", NOW)
    door.admit({"authorization": "Bearer right-token", **signed(b"a")}, b"a", NOW)


def test_a_door_without_a_secret_is_none() -> None:
    with pytest.raises(ValueError, match="neither token nor secret"):
        Door("", "", 300)


# Which alerts count


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", 'it has no list "alerts"'),
        (b'{"alerts": {}}', 'it has no list "alerts"'),
        (post(version="5"), "its version is '5'; this understands 4"),
        (post({"status": "maybe"}), "an alert in it is neither firing nor resolved"),
        (post({"status": "firing"}), "an alert in it has no labels"),
        (post({"status": "firing", "labels": {"a": 1}}), "an alert in it has no labels"),
        (post({"status": "firing", "labels": {}}), "an alert in it has no name"),
        (post(*[firing()] * 1001), "it has 1001 alerts; at most 1000 are read"),
    ],
)
def test_what_is_no_post_of_alertmanager_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        alerts(body, "churn", "model", ())
    assert refused.value.status == 400
    assert sentence in str(refused.value)


def test_resolved_alerts_others_models_and_other_alerts_do_not_count() -> None:
    resolved = {**firing(), "status": "resolved"}
    told = (resolved, firing(model="other"), firing(component="infrastructure"), firing(), firing(), firing(route="/b"))
    found = alerts(post(*told), "churn", "model", ())
    assert [alert.labels.get("route") for alert in found] == [None, "/b"]
    assert alerts(post(resolved), "churn", "model", ()) == []
    assert alerts(post(firing(component="x")), "churn", "model", ["MlgatesErrorsHigh"])
    assert alerts(post(), "churn", "model", ["Another"]) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_read_or_refused(told: Any) -> None:
    for body in (json.dumps(told).encode(), json.dumps({"alerts": [told]}).encode()):
        try:
            alerts(body, "churn", "model", ())
        except Refused as refused:
            assert refused.status == 400


# One rollback an alert


class Outside:
    """A registry of two versions, a Prometheus, and looks as they are told."""

    def __init__(self) -> None:
        self.active: Any = "2027-01-15T07:58:00Z"
        self.now = Standing("3", 5, "promote", "2", True)
        self.looks: list[Look] = []
        self.does: Any = self.rolls_back
        self.told: list[Message] = []
        self.worsts: list[str] = []
        self.alerts: list[str] = []

    def firing_since(self, alert: Alert) -> str:
        if isinstance(self.active, Exception):
            raise self.active
        return self.active

    def standing(self) -> Standing:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def look(self) -> Look:
        self.looks.append(self.does())
        return self.looks[-1]

    def rolls_back(self) -> Look:
        self.now = Standing("2", 6, "rollback", "3", True)
        return Look(1, "ROLLBACK", "'champion' is v2 again", {"action": {"done": True}}, 1.0, "")

    def tell(self, message: Message) -> None:
        self.told.append(message)

    def worst(self, key: str, sentence: str, champion: str) -> None:
        self.worsts.append(f"v{champion}: {sentence}")

    def seen(self, job: Job) -> None:
        self.alerts.append(f"v{job.champion}: {job.name} since {job.active}")

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.told]


KEEPS = Look(10, "PAGE", "slo: everything is slow", {"action": None}, 1.0, "")


class Desked:
    """An Answering with a clock of its own."""

    def __init__(self, folder: Path, outside: Outside, most: int = 100) -> None:
        self.time, self.outside, self.said = NOW, outside, []
        self.desk = Desk(folder / "alerts.json", most)
        self.answering = Answering("churn", self.desk, outside, again=60, say=self.said.append, clock=lambda: self.time)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def desked(tmp_path: Path, outside: Outside) -> Desked:
    return Desked(tmp_path, outside)


def test_a_rollback_is_announced_done_and_never_done_again(desked: Desked, outside: Outside, tmp_path: Path) -> None:
    assert desked.answering.look_into(ALERT) == "MlgatesErrorsHigh: rolled back from v3: 'champion' is v2 again"
    assert outside.titles == [
        "[SEV2] churn: MlgatesErrorsHigh: looking into it",
        "[SEV2] churn: MlgatesErrorsHigh: rolled back from v3",
    ]
    assert outside.alerts == ["v3: MlgatesErrorsHigh since 2027-01-15T07:58:00Z"]
    desked.time += 3600
    for answering in (desked.answering, Desked(tmp_path, outside).answering):  # the same server, and the next one
        assert "nothing is done twice" in answering.look_into(ALERT)
    assert len(outside.looks) == 1


def test_an_alert_that_fires_anew_later_is_another(desked: Desked, outside: Outside) -> None:
    desked.answering.look_into(ALERT)
    outside.active, outside.now = "2027-01-16T09:00:00Z", Standing("4", 7, "promote", "2", True)
    outside.does = lambda: KEEPS
    assert "held (PAGE): slo: everything is slow" in desked.answering.look_into(ALERT)
    assert len(outside.looks) == 2


@pytest.mark.parametrize(
    ("active", "sentence", "told"),
    [
        ("", "Prometheus says that it does not fire; nothing was done", []),
        (CouldNotEvaluate("Prometheus at x: refused"), "could not be looked into", ["could not be looked into"]),
    ],
)
def test_what_prometheus_does_not_confirm_does_nothing(
    desked: Desked, outside: Outside, active: Any, sentence: str, told: list[str]
) -> None:
    outside.active = active
    assert sentence in desked.answering.look_into(ALERT)
    assert outside.looks == []
    assert [title.rpartition(": ")[2] for title in outside.titles] == told


def test_an_alert_about_a_version_that_no_longer_serves_does_nothing(desked: Desked, outside: Outside) -> None:
    about = replace(ALERT, labels={**LABELS, "version": "2"})
    assert desked.answering.look_into(about) == "MlgatesErrorsHigh is about v2, and v3 is champion; nothing was done"
    assert outside.looks == []


def test_without_the_registry_nothing_is_done_and_somebody_is_told(desked: Desked, outside: Outside) -> None:
    outside.now = CouldNotEvaluate("the registry does not answer")
    assert "who is champion is not known, so nothing was done" in desked.answering.look_into(ALERT)
    assert outside.looks == []
    assert outside.titles == ["[SEV3] churn: MlgatesErrorsHigh: could not be looked into"]


def test_what_held_is_looked_into_again_after_a_while(desked: Desked, outside: Outside) -> None:
    outside.does = lambda: KEEPS
    desked.answering.look_into(ALERT)
    assert "held a moment ago" in desked.answering.look_into(ALERT)
    desked.time += 61
    outside.does = outside.rolls_back
    assert "rolled back from v3" in desked.answering.look_into(ALERT)


def moved(kind: str, champion: str = "2", left: str = "3", settled: bool = True) -> Standing:
    return Standing(champion, 6, kind, left, settled)


@pytest.mark.parametrize(
    ("look", "after"),
    [
        (Look(11, "ROLLBACK", "ACTION FAILED: v2 does not load", {}, 1, ""), None),
        (Look(1, "ROLLBACK", "said so", {}, 1, ""), None),
        (Look(124, "", "the look took longer than 600 s and was ended", None, 600, ""), moved("rollback")),
        (Look(-9, "", "the look died of signal 9", None, 1, ""), moved("rollback", settled=False)),
        (Look(1, "ROLLBACK", "done", {"action": {"done": True}}, 1, ""), moved("rollback", settled=False)),
        (Look(1, "ROLLBACK", "done", {"action": {"done": True}}, 1, ""), CouldNotEvaluate("the registry is gone")),
        (Look(11, "ROLLBACK", "not verified", {}, 1, ""), moved("rollback")),
    ],
    ids=["failed", "only said", "too long", "killed", "alias elsewhere", "registry gone", "workload not proven"],
)
def test_a_rollback_that_fails_or_cannot_be_verified_is_the_worst(
    desked: Desked, outside: Outside, look: Look, after: Any
) -> None:
    def does() -> Look:
        outside.now = after or outside.now
        return look

    outside.does = does
    assert "P0, the rollback failed or could not be verified" in desked.answering.look_into(ALERT)
    assert outside.titles[-1] == "[SEV1] churn: P0 MlgatesErrorsHigh: ROLLBACK FAILED OR NOT VERIFIED"
    assert len(outside.worsts) == 1
    assert outside.worsts[0].startswith("v3: MlgatesErrorsHigh: the rollback failed or could not be verified: ")
    desked.time += 3600
    outside.now = Standing("3", 5, "promote", "2", True)
    desked.answering.look_into(ALERT)
    assert len(outside.looks) == 1, "a person decides now"


def test_a_look_that_says_nothing_is_no_all_clear(desked: Desked, outside: Outside) -> None:
    outside.does = lambda: Look(124, "", "the look took longer than 600 s and was ended", None, 600, "")
    said = desked.answering.look_into(ALERT)
    assert said.endswith("nothing is known: the look took longer than 600 s and was ended")
    assert outside.titles[-1] == "[SEV3] churn: MlgatesErrorsHigh: held, blind"


# Killed at any step


class Killed(BaseException):
    """The process is gone: nothing after this runs."""


@pytest.mark.parametrize("where", ["before the look", "entry written", "alias moved", "after the look"])
def test_a_server_killed_at_any_step_finishes_at_the_next_start_and_never_twice(
    tmp_path: Path, outside: Outside, where: str
) -> None:
    first = Desked(tmp_path, outside)
    rollbacks = []

    def killed() -> Look:
        if where != "before the look":
            rollbacks.append("v3")
            outside.now = moved("rollback", settled=where != "entry written")
        raise Killed

    def finishes() -> Look:
        if outside.now.champion == "3":
            rollbacks.append("v3")
            return outside.rolls_back()
        outside.now = replace(outside.now, settled=True)  # what was begun is finished first; then v2 is in burn-in
        return Look(10, "KEEP", "slo: burning in", {"action": None}, 1, "")

    outside.does = killed
    with pytest.raises(Killed):
        first.answering.look_into(ALERT)
    outside.does = finishes
    second = Desked(tmp_path, outside)
    (said,) = second.answering.recover()
    assert "rolled back from v3" in said
    assert rollbacks == ["v3"]
    assert second.answering.recover() == []
    second.time += 3600
    assert "nothing is done twice" in second.answering.look_into(ALERT)


def test_what_cannot_be_finished_yet_is_reported_and_kept(tmp_path: Path, outside: Outside) -> None:
    Desked(tmp_path, outside).desk.put("k", Job("A", LABELS, "t", Stage.BEGUN, NOW, "3", 5))
    outside.now = CouldNotEvaluate("the registry does not answer")
    second = Desked(tmp_path, outside)
    assert "what was begun cannot be finished yet: the registry does not answer" in second.answering.recover()[0]
    assert list(second.desk.begun()) == ["k"]


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"k": {"stage": "odd"}}', b'{"k": 3}'])
def test_a_damaged_memory_stops_the_start(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "alerts.json").write_bytes(damage)
    with pytest.raises(CouldNotEvaluate, match="see what `mlgates history` says of the last hours, then move it away"):
        Desk(tmp_path / "alerts.json", 10)


def test_the_memory_is_bounded_and_never_forgets_what_is_not_finished(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "alerts.json", 10)
    desk.put("first", Job("A", {}, "t", Stage.BEGUN, 0.0))
    for number in range(50):
        desk.put(str(number), Job("A", {}, "t", Stage.DONE, 1.0 + number))
    kept = Desk(tmp_path / "alerts.json", 10).jobs
    assert len(kept) == 10
    assert "first" in kept
    assert "49" in kept


def test_a_thousand_copies_at_once_are_one_look(desked: Desked, outside: Outside) -> None:
    begun, go = threading.Event(), threading.Event()

    def does() -> Look:
        begun.set()
        assert go.wait(20)
        return outside.rolls_back()

    outside.does = does
    worker = threading.Thread(target=desked.answering.work)
    worker.start()
    try:
        assert desked.answering.take([ALERT]) == 1
        assert begun.wait(20)
        posters = [
            threading.Thread(target=lambda: [desked.answering.take([ALERT]) for _ in range(250)]) for _ in range(4)
        ]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join()
        go.set()
        deadline = time.monotonic() + 20
        while not desked.answering.idle and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert desked.answering.take([ALERT]) == 0, "looked into a moment ago"
    finally:
        go.set()
        desked.answering.end()
        worker.join(20)
    assert len(outside.looks) == 1
    assert len(desked.said) == 1


def test_too_many_different_alerts_are_refused_and_come_again(desked: Desked) -> None:
    many = [replace(ALERT, labels={**LABELS, "route": str(n)}) for n in range(101)]
    with pytest.raises(Refused) as refused:
        desked.answering.take(many)
    assert refused.value.status == 503
    assert desked.answering.take(many[:100]) == 100


# Prometheus itself


@pytest.fixture
def prometheus():
    """A server that answers /api/v1/alerts as it is told."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    answer: dict[str, Any] = {"status": 200, "body": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(len(answer["body"])))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    answer["url"] = f"http://127.0.0.1:{server.server_port}"
    yield answer
    server.shutdown()
    server.server_close()
    thread.join()


def active(state: str = "firing", **labels: str) -> bytes:
    found = {"labels": {**LABELS, **labels}, "state": state, "activeAt": "T1"}
    return json.dumps({"status": "success", "data": {"alerts": [found]}}).encode()


@pytest.mark.parametrize(
    ("body", "since"),
    [
        (active(), "T1"),
        (active("pending"), ""),
        (active(model="other"), ""),
        (active(alertname="Other"), ""),
        (active(route="/only-there"), ""),
        (b'{"status": "success", "data": {"alerts": []}}', ""),
    ],
)
def test_an_alert_fires_when_prometheus_says_so(prometheus: dict[str, Any], body: bytes, since: str) -> None:
    prometheus["body"] = body
    asked = {**LABELS, "cluster": "an external label"}
    assert PrometheusAlerts(prometheus["url"], {}, 5).firing_since(asked) == since


@pytest.mark.parametrize(
    ("status", "body"), [(503, b"busy"), (200, b""), (200, b"[]"), (200, b'{"status": "error"}'), (401, active())]
)
def test_an_answer_that_cannot_be_relied_on_is_no_answer(prometheus: dict[str, Any], status: int, body: bytes) -> None:
    prometheus.update(status=status, body=body)
    with pytest.raises(CouldNotEvaluate, match=f"answers HTTP {status}, and not with its alerts"):
        PrometheusAlerts(prometheus["url"], {}, 5).firing_since(LABELS)


def test_a_prometheus_that_is_down_is_no_answer() -> None:
    with pytest.raises(CouldNotEvaluate, match="nothing answers there"):
        PrometheusAlerts("http://127.0.0.1:9", {}, 5).firing_since(LABELS)

"""Who hears of what, once; and that it changes nothing when nobody can be told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.watching.apprise_notifier import AppriseNotifier
from pytest_mlgates.aftermath.notices import notice
from pytest_mlgates.aftermath.telling import Teller
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.incident import Happened
from pytest_mlgates.policy import Notify
from pytest_mlgates.ports import Message

from .ears import ears

MESSAGE = Message("SEV1", "[SEV1] ROLLBACK FAILED: churn v3", "v2 does not load", "key", "https://ci.example/7")


class Kept:
    """A notifier that keeps what it is told."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.told: list[tuple[str, tuple[str, ...]]] = []
        self.trouble = trouble

    def tell(self, message: Message, urls: Any) -> None:
        if self.trouble:
            raise self.trouble
        self.told.append((message.key, tuple(urls)))


def desk(tmp_path: Path, notifier: Kept, **policy: Any) -> Teller:
    named = {"chat": ("env:CHAT_URL",), "pager": ("env:PAGER_URL",), **policy}
    environ = {"CHAT_URL": "json://chat", "PAGER_URL": "json://pager", "JOB": "https://ci.example/7"}
    return Teller(Notify(**named), notifier, tmp_path / "notified.json", environ)


@pytest.mark.parametrize(
    ("severity", "urls"),
    [
        ("SEV1", ("json://pager", "json://chat")),
        ("SEV2", ("json://pager", "json://chat")),
        ("SEV3", ("json://chat",)),
        ("SEV4", ("json://chat",)),
    ],
)
def test_the_pager_hears_what_cannot_wait(tmp_path: Path, severity: str, urls: tuple[str, ...]) -> None:
    kept = Kept()
    assert desk(tmp_path, kept).tell(Message(severity, "t", "b", "k"), 0) == ""
    assert kept.told == [("k", urls)]


def test_the_same_message_is_told_once_until_it_was_quiet_long_enough(tmp_path: Path) -> None:
    kept = Kept()
    for now in (0, 1, 3599, 3600, 3601):
        desk(tmp_path, kept).tell(MESSAGE, now)  # a new process each time
    assert len(kept.told) == 2


@pytest.mark.parametrize("damage", [b"{", b"[1]", b'{"key": "soon"}', b'{"key": 1e18}'])
def test_a_damaged_memory_tells_twice_rather_than_never(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "notified.json").write_bytes(damage)
    kept = Kept()
    assert desk(tmp_path, kept).tell(MESSAGE, 0) == ""
    assert kept.told == [("key", ("json://pager", "json://chat"))]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (CouldNotEvaluate("1 of 2 channels did not take it"), "1 of 2 channels"),
        (KeyError("https://secret"), "KeyError"),
    ],
)
def test_a_failing_notifier_is_one_line_and_is_tried_again(tmp_path: Path, trouble: Exception, why: str) -> None:
    said = desk(tmp_path, Kept(trouble)).tell(MESSAGE, 0)
    assert said.startswith(f"nobody could be told of '[SEV1] ROLLBACK FAILED: churn v3': {why}")
    assert "secret" not in said
    kept = Kept()
    desk(tmp_path, kept).tell(MESSAGE, 1)
    assert kept.told


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    said = desk(tmp_path, Kept(), chat=("env:SLACK_URL",)).tell(MESSAGE, 0)
    assert said.endswith("SLACK_URL is not set in the environment")


def test_the_link_comes_from_the_environment_or_the_settings(tmp_path: Path) -> None:
    assert desk(tmp_path, Kept(), link="env:JOB").link() == "https://ci.example/7"
    assert desk(tmp_path, Kept(), link="https://reports.example").link() == "https://reports.example"


def test_a_url_in_the_settings_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as told:
        Notify(chat=("https://hooks.example/T0/SECRET",))
    assert str(told.value) == (
        'a URL of [tool.mlgates.notify] chat is a secret, which belongs in the environment: write "env:NAME"'
    )


def test_apprise_delivers_title_text_and_link() -> None:
    with ears() as heard:
        AppriseNotifier(10).tell(MESSAGE, [f"json://{heard.url}/hook"])
    (body,) = heard.bodies
    assert (body["title"], body["type"]) == (MESSAGE.title, "failure")
    assert body["message"].splitlines() == ["v2 does not load", "https://ci.example/7"]


def test_a_channel_that_refuses_or_stalls_is_told_by_its_number_not_by_its_url() -> None:
    with ears() as good, ears() as bad, ears() as slow:
        bad.status, slow.stall = 500, threading.Event()
        urls = [f"json://{place.url}/SECRET" for place in (good, bad, slow)]
        with pytest.raises(CouldNotEvaluate) as told:
            AppriseNotifier(1.0).tell(MESSAGE, urls)
        assert len(good.bodies) == 1, "what can be told is told"
    assert str(told.value) == "2 of 3 channels did not take the message within 1 s (number 2, 3)"


def test_what_is_no_url_is_said() -> None:
    with pytest.raises(CouldNotEvaluate, match="channel 1 of 1 is no URL that apprise knows"):
        AppriseNotifier(1.0).tell(MESSAGE, ["nonsense"])


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"phase": "live", "action": "ROLLBACK", "verdict": "FAIL", "done": True}, "[SEV2] rolled back: churn v3"),
        ({"phase": "live", "action": "ROLLBACK", "verdict": "FAIL"}, "[SEV1] BAD AND STILL SERVING: churn v3"),
        ({"phase": "live", "action": "ROLLBACK", "verdict": "FAIL", "exit": 11}, "[SEV1] ROLLBACK FAILED: churn v3"),
        (
            {"phase": "live", "action": "PAGE", "verdict": "ERROR", "exit": 10, "asked": "SEV3"},
            "[SEV3] somebody must decide: churn v3",
        ),
        (
            {"phase": "live", "action": "REVIEW", "verdict": "FAIL", "exit": 1, "asked": "SEV4"},
            "[SEV4] to be reviewed: churn v3",
        ),
        ({"phase": "live", "action": "KEEP", "verdict": "PASS", "exit": 0}, None),
        (
            {"phase": "promotion", "action": "PROMOTE", "exit": 11, "challenger": "4"},
            "[SEV1] PROMOTION FAILED: churn v4",
        ),
        ({"phase": "promotion", "action": "PROMOTE", "done": True, "challenger": "4"}, "[SEV4] promoted: churn v4"),
        ({"phase": "promotion", "action": "HOLD", "verdict": "FAIL", "challenger": "4"}, "[SEV4] held: churn v4"),
        ({"phase": "drill", "action": "DRILL FAILED", "verdict": "FAIL"}, "[SEV3] drill failed: churn v3"),
        ({"phase": "drill", "action": "DRILL UNPROVEN", "verdict": "ERROR"}, "[SEV4] drill unproven: churn v3"),
        ({"phase": "drill", "action": "DRILL PASSED", "verdict": "PASS"}, None),
    ],
)
def test_what_is_told_and_how_bad_it_is(changed: dict[str, Any], title: str | None) -> None:
    told = {"model": "churn", "champion": "3", "verdict": "PASS", "exit": 1, "sentence": "why", **changed}
    made = notice(Happened(**told), ["a line"])
    assert (made and made.title) == title
    assert made is None or made.body.splitlines() == ["why", "a line"]

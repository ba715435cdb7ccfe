"""`mlgates webhook` over HTTP: what it refuses, and one rollback whatever comes."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from webhooked import ACTIVE, FIRING, LABELS, prometheus_says, webhook

from mlrepo import BETTER, CHAMPION, Repo
from pytest_mlgates.cli import main

LIVE = """
    from pathlib import Path
    @pytest.mark.mlgate("answers", phase="live", tier="act")
    def test_answers(gate):
        gate.judge(Evidence("wrong answers", Path("bad").exists(), n=100), at_most(0))
"""


@pytest.fixture
def served(repo: Repo) -> Repo:
    """The better model was promoted, and fails in service."""
    repo.apply()
    repo.gates(LIVE)
    repo.write("bad", "")
    return repo


def hooked(repo: Repo, url: str, more: str = "") -> None:
    table = f"""
        [tool.mlgates.prometheus]
        url = "{url}"
        champion = 'job="churn"'
        [tool.mlgates.webhook]
        token = "env:ALERT_TOKEN"
        limit_bytes = 4096
        {more}
    """
    repo.settings(table, gates_live=["golden_integrity", "answers"])


def history(repo: Repo, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["history", "--json"]) == 0
    return [entry["kind"] for entry in json.loads(capsys.readouterr().out)["entries"]]


@pytest.mark.slow
def test_what_is_refused_and_many_copies_of_what_is_not_are_one_rollback(
    served: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    with prometheus_says(ACTIVE) as url:
        hooked(served, url)
        with webhook(served.path) as hook:
            assert hook.post(token="a wrong token") == (401, {"error": "the token is missing or wrong"})
            assert hook.post(body=b"nonsense") == (400, {"error": "it is not JSON"})
            assert hook.post(body=b" " * 5000)[0] == 413
            assert hook.post({**FIRING, "status": "resolved"})[1]["taken"] == 0
            assert hook.post({**FIRING, "labels": {**LABELS, "model": "other"}})[1]["alerts"] == 0
            assert served.champion() == BETTER

            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: hook.post(), range(200)))
            assert {status for status, _ in answers} == {202}
            assert sum(answer["taken"] for _, answer in answers) == 1
            line = hook.wait_for("rolled back from v2")
            assert f"'champion' is v{CHAMPION} again, instead of v{BETTER}" in line
            assert hook.post()[1]["taken"] == 0, "it was looked into a moment ago"
    capsys.readouterr()
    assert main(["incident", "show", "1"]) == 0
    assert "alert: MlgatesErrorsHigh was active, says Prometheus, since 2027-01-15T07:58:00Z" in capsys.readouterr().out
    assert served.champion() == CHAMPION
    assert history(served, capsys).count("rollback") == 1
    with prometheus_says(ACTIVE) as url:
        hooked(served, url)
        with webhook(served.path) as hook:  # the next server: the same alert still fires
            assert hook.post()[1]["taken"] == 1
            hook.wait_for("nothing is done twice")
    assert history(served, capsys).count("rollback") == 1


def test_an_alert_that_prometheus_does_not_know_does_nothing(served: Repo) -> None:
    with prometheus_says() as url:
        hooked(served, url)
        with webhook(served.path) as hook:
            hook.post()
            hook.wait_for("Prometheus says that it does not fire; nothing was done")
    assert served.champion() == BETTER


def test_two_servers_in_one_repository_are_refused(served: Repo, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    hooked(served, "http://127.0.0.1:9")
    monkeypatch.setenv("ALERT_TOKEN", "a token of some length")
    with webhook(served.path):
        assert main(["webhook", "--port", "0"]) == 2
    assert "another `mlgates webhook` runs in " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("token", "written", "sentence"),
    [
        ("", 'token = "env:ALERT_TOKEN"', "ALERT_TOKEN, which token in [tool.mlgates.webhook] names, is not set"),
        ("short", 'token = "env:ALERT_TOKEN"', "is shorter than 16 characters"),
        ("x" * 20, "", "the webhook takes posts from nobody yet: write [tool.mlgates.webhook] token"),
        ("x" * 20, 'token = "hunter2hunter2hunter2"', "is a secret, which belongs in the environment"),
    ],
)
def test_a_server_without_a_secret_does_not_start(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys, token: str, written: str, sentence: str
) -> None:
    repo.settings(f'[tool.mlgates.webhook]\n{written}\n[tool.mlgates.prometheus]\nurl = "http://x:1"\nchampion = "a"')
    monkeypatch.setenv("ALERT_TOKEN", token)
    capsys.readouterr()
    assert main(["webhook", "--port", "0"]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert "hunter2" not in err


@pytest.mark.slow
def test_a_server_that_is_ended_in_the_middle_never_acts_twice(
    served: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed as soon as the look has begun: the next start finishes, and the ledger has one rollback."""
    with prometheus_says(ACTIVE) as url:
        hooked(served, url, "again_s = 1.0")
        with webhook(served.path) as hook:
            hook.post()
            looks = served.path / ".mlgates" / "looks"
            from tests.watch.servers import until

            until(lambda: list(looks.glob("*/output.txt")), 30, "the look begins")
            hook.process.kill()
            hook.process.wait(10)
        with webhook(served.path) as hook:
            hook.wait_for("left by a server that ended: ")
            hook.wait_for("rolled back from v2")
    assert served.champion() == CHAMPION
    assert history(served, capsys).count("rollback") == 1
    assert threading.active_count() < 50

"""What may go wrong while something goes wrong: nothing is done in silence, nothing twice, and somebody is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from liverepo import LIVE, promote
from mlrepo import BARELY, BETTER, RAISES, Repo
from pytest_mlgates.demo.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.serving.servers import better, serving
from tests.watch.ears import Heard, ears

#: Whoever is champion, a gate that may act alone has proof against it.
BAD = """
    @pytest.mark.mlgate("errors", phase="live", tier="act")
    def test_errors(gate):
        gate.judge(Evidence("error rate", 0.5, n=1000), at_most(0.01))
"""
#: The same, and while it is judged another watcher in another folder goes back.
OVERTAKEN = """
    import subprocess, sys

    @pytest.mark.mlgate("errors", phase="live", tier="act")
    def test_errors(gate):
        rollback = [sys.executable, "-m", "pytest_mlgates.cli", "rollback", "--reason", "the other one", "--yes"]
        subprocess.run(rollback, check=True)
        gate.judge(Evidence("error rate", 0.5, n=1000), at_most(0.01))
"""


@pytest.fixture
def chat(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    with ears() as heard:
        monkeypatch.setenv("CHAT_URL", f"json://{heard.url}/hook")
        yield heard


def watched(repo: Repo, gate: str = BAD) -> None:
    repo.gates(gate)
    repo.settings('[tool.mlgates.notify]\nchat = ["env:CHAT_URL"]', gates_live=["golden_integrity", "errors"])


def test_a_former_champion_that_cannot_serve_is_never_gone_back_to(
    repo: Repo, chat: Heard, monkeypatch: pytest.MonkeyPatch, mlgates
) -> None:
    """It is the only one there is: what is bad goes on serving, and that is the worst incident."""
    repo.point("champion", RAISES)
    promote(repo, monkeypatch)
    watched(repo)
    run = repo.apply(*LIVE)
    assert (run.ret, repo.champion()) == (11, BETTER), run.text
    assert f"there is no former champion to go back to that works: v{RAISES} cannot serve again: " in run.text
    (told,) = chat.bodies
    assert told["title"] == f"[SEV1] ROLLBACK FAILED: credit v{BETTER}"
    assert f"v{RAISES} cannot serve again: " in told["message"]
    assert "incident 1: credit, SEV1, open" in mlgates("incident", "show", "1")[1]


@pytest.mark.slow
def test_a_watcher_that_is_overtaken_by_another_does_nothing(
    repo: Repo, chat: Heard, monkeypatch: pytest.MonkeyPatch, mlgates
) -> None:
    """Two folders, one registry: without the ledger the second would take the former champion out of service too."""
    for version in (BARELY, BETTER):
        promote(repo, monkeypatch, version=version)
    watched(repo, OVERTAKEN)
    run = repo.apply(*LIVE)
    assert (run.ret, repo.champion()) == (10, BARELY), run.text
    assert f"KEEP credit v{BETTER}: judged against v{BETTER}, but v{BARELY} is champion now: run again" in run.text
    assert not chat.bodies, "the other one told people"
    entries = json.loads(mlgates("history", "--json")[1])["entries"]
    assert [entry["kind"] for entry in entries].count("rollback") == 1


def test_while_the_registry_is_down_people_are_told_that_nobody_can_look(repo: Repo, chat: Heard) -> None:
    watched(repo)
    (repo.path / "mlflow.db").write_bytes(b"not a database at all")
    run = repo.apply(*LIVE)
    assert run.ret == 10 and "ROLLBACK" not in run.text
    (told,) = chat.bodies
    assert told["title"] == "[SEV3] somebody must decide: credit"
    assert "mlflow.db cannot be opened: " in told["message"]


class TestTheCanaryBehindAProxyThatGoesWrong:
    @pytest.fixture
    def proxy(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
        promote(repo, monkeypatch)
        with serving(answers=better) as served:
            host, _, port = served.url.removeprefix("http://").partition(":")
            with fault_proxy(host, int(port)) as made:
                endpoint = f'[tool.mlgates.endpoint]\nchampion_url = "{made.url}"\ntimeout = 0.5\nstart_timeout = 1\n'
                repo.settings(
                    f"{endpoint}[tool.mlgates.canary]\npause_s = 0\n", gates_live=["golden_integrity", "canary"]
                )
                yield made

    @pytest.mark.parametrize("fault", [Fault(), Fault(latency_s=0.1)], ids=["well", "slow"])
    def test_right_answers_pass(self, repo: Repo, proxy: FaultProxy, fault: Fault) -> None:
        """How fast they come is another gate's question."""
        proxy.fault = fault
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (0, BETTER), run.text

    def test_wrong_answers_in_time_ask_a_person_and_are_an_incident(self, repo: Repo, proxy: FaultProxy) -> None:
        proxy.fault = Fault(wrong=1.0)
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (1, BETTER), run.text
        assert "PAGE credit v2: canary: deviation of scores " in run.text and "proven not <= 0.0001" in run.text
        assert "told: SEV2, the pager, who decides, within 15 min" in run.text
        assert "incident 1 (SEV2) is open" in run.text

    @pytest.mark.parametrize(
        "fault", [Fault(errors=1.0), Fault(resets=1.0), Fault(stalls=1.0)], ids=["errors", "resets", "stalls"]
    )
    def test_no_answer_is_no_all_clear(self, repo: Repo, proxy: FaultProxy, fault: Fault) -> None:
        proxy.fault = fault
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (10, BETTER), run.text
        assert "PAGE credit v2: canary: " in run.text
        assert "told: SEV3, on-call, who looks in the machine's place, within 60 min" in run.text

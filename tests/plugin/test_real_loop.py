"""The whole loop on real parts, once: from a fault to the former version serving, proven."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from real_loop import HOLD, loop, run_of
from webhooked import ACTIVE, prometheus_says, webhook

from mlrepo import BETTER, CHAMPION, Repo
from pytest_mlgates.cli import main
from pytest_mlgates.demo.fault_proxy import Fault
from tests.watch.servers import program

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        program("prometheus") is None or program("alertmanager") is None,
        reason="Prometheus and Alertmanager are not installed: apt-get install prometheus prometheus-alertmanager",
    ),
]


def test_a_version_that_fails_in_service_is_taken_back(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    with loop(repo) as running:
        took = running.broken_until_restored(Fault(errors=0.5, runs=(run_of(repo, BETTER),)), 90)
        said = "\n".join(running.hook.said)
        assert said.count("rolled back from v2") == 1
        # Half a minute on a machine that does nothing else, which benchmarks/real_loop.py holds; tests share theirs.
        assert took - HOLD <= 60, f"{took:.1f} s"
        # Alertmanager gathers a group for ten seconds before it tells anybody.
        told = [who.came.wait(30) for who in (running.pager, running.chat)]
        assert told == [True, True], "critical goes to pager and chat both"
    assert repo.champion() == CHAMPION
    capsys.readouterr()
    assert main(["incident", "show", "1"]) == 0
    out = capsys.readouterr().out
    assert "SEV2" in out
    assert "ledger entry 3" in out
    assert "restored: the former version serves, proven by its answers" in out
    with capsys.disabled():
        print(f"\nfault to former version serving, proven: {took:.1f} s, of which the rule waits {HOLD:g} s")


def test_many_copies_of_one_alert_are_one_rollback_and_memory_stays_flat(
    repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    copies = int(os.environ.get("MLGATES_TEST_COPIES", "1000"))
    repo.apply()
    repo.gates(
        """
        @pytest.mark.mlgate("answers", phase="live", tier="act")
        def test_answers(gate):
            gate.judge(Evidence("wrong answers", 1, n=100), at_most(0))
        """
    )
    with prometheus_says(ACTIVE) as url:
        table = f"""
            [tool.mlgates.prometheus]
            url = "{url}"
            champion = 'job="credit"'
            [tool.mlgates.webhook]
            token = "env:ALERT_TOKEN"
            again_s = 1.0
        """
        repo.settings(table, gates_live=["golden_integrity", "answers"])
        with webhook(repo.path) as hook, ThreadPoolExecutor(8) as pool:
            assert {status for status, _ in pool.map(lambda _: hook.post(), range(100))} == {202}
            hook.wait_for("rolled back from v2")
            before = hook.memory()
            assert {status for status, _ in pool.map(lambda _: hook.post(), range(copies))} == {202}
            grown = hook.memory() - before
            assert sum("rolled back from v2: 'champion'" in line for line in hook.said) == 1
    assert grown < 8 * 2**20, f"{grown / 2**20:.1f} MiB"
    capsys.readouterr()
    assert main(["history", "--json"]) == 0
    assert [entry["kind"] for entry in json.loads(capsys.readouterr().out)["entries"]].count("rollback") == 1
    with capsys.disabled():
        print(f"\ncopies: {copies:,} posts of one alert: 1 rollback, memory {grown / 2**20:+.1f} MiB")

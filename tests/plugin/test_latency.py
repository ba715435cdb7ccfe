"""The gate `latency` in a run, on real servers under real load, and `inprocess_latency` on the model itself.

Limits are generous here and servers far beyond them, so that a busy machine changes no verdict; what it may change
(bursts, a generator that is late) is taken out by the fixture `calm`, and has tests of its own in tests/unit/latency.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlrepo import ALONE, BETTER, CHAMPION, Repo
from tests.load.servers import Serve, alive, serving_all

pytestmark = pytest.mark.slow

GATES = ["core", "latency"]
#: A verdict at the first look, after two seconds.
QUICK = "rate = 500\nseconds = 0\nmost = 1000\nwarm_up = 0.2\npayloads = 20\np99_ms = 2000.0\n"
GENTLE = QUICK.replace("500", "200").replace("payloads = 20", "payloads = 1")
OF_CHALLENGER = ("--coefficients", 1.0, 1.0, 1.0, 0.0)
OF_CHAMPION = ("--coefficients", 1.0, 0.6, 0.0, 0.0)
SLOW = ("--service", 2500, "--spread", 0)


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_mlgates.measure.load.quantile.design_effect", lambda *_: 1.0)
    monkeypatch.setattr("pytest_mlgates.measure.load.samples.LATE_MS", 10_000.0)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving_all() as start:
        yield start


def asked(repo: Repo, challenger: str, champion: str, more: str = QUICK) -> None:
    urls = f'[tool.mlgates.endpoint]\nchallenger_url = "{challenger}"\nchampion_url = "{champion}"\n'
    repo.settings(f"{urls}[tool.mlgates.latency]\n{more}", gates=GATES)


def judgements(repo: Repo, name: str = "latency") -> dict[str, Any]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == name)
    return {f"{j['evidence']['measure']} {j['evidence']['where']}".strip(): j for j in gate["judgements"]}


def test_a_quick_and_right_challenger_passes_with_the_champion_beside_it(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER), serve(*OF_CHAMPION))
    run = repo.run()
    assert run.ret == 0, run.text
    assert repo.verdicts()["latency"] == "PASS"
    judged = judgements(repo)
    assert list(judged) == ["p99", "error rate", "p99 champion", "error rate champion"]
    assert judged["p99 champion"]["limit"] == "shown beside, not judged"
    evidence = judged["p99"]["evidence"]
    assert evidence["n"] == 1000 and 0 < evidence["value"] < 2000
    details = evidence["details"]
    assert list(details["quantiles_ms"]) == ["p50", "p90", "p99", "p99.9"]
    assert sum(details["histogram"]["counts"]) == 1000 and len(details["histogram"]["counts"]) <= 60
    assert (details["rate"], details["warm_up_left_out"], details["seed"], details["faults"]) == (500, 0.2, 0, {})
    assert judged["error rate"]["evidence"]["value"] == 0
    assert not {"locust", "gevent"} & set(sys.modules)
    repo.on_page("latency", "passing", exact=False)


def test_a_slow_challenger_fails_where_the_champion_is_quick(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER, *SLOW), serve(*OF_CHAMPION), GENTLE)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (1, CHAMPION)
    verdict, sentence = repo.said_of("latency")
    assert verdict == "FAIL"
    assert sentence.startswith("p99 2") and sentence.endswith("proven not <= 2,000")
    repo.on_page("latency", "failing", exact=False)


@pytest.mark.long
def test_where_both_are_slow_the_machine_or_the_limit_is_to_blame(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER, *SLOW), serve(*OF_CHAMPION, *SLOW), GENTLE)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    verdict, sentence = repo.said_of("latency")
    assert verdict == "INCONCLUSIVE"
    assert "and so is the champion's (p99 [champion] 2" in sentence
    assert sentence.endswith("): the machine or the limit is to blame")


@pytest.mark.parametrize("fault", ["zero", "status"])
def test_wrong_answers_under_load_fail(repo: Repo, serve: Serve, fault: str) -> None:
    """Alone it answers right; every tenth answer under load is wrong."""
    broken = serve(*OF_CHALLENGER, "--fault", fault, "--share", 0.1, "--after", 60)
    asked(repo, broken, serve(*OF_CHAMPION))
    assert repo.apply().ret == 1
    assert repo.said_of("latency")[0] == "FAIL"
    judged = judgements(repo)
    assert (judged["p99"]["verdict"], judged["error rate"]["verdict"]) == ("PASS", "FAIL")
    (kind,) = judged["error rate"]["evidence"]["details"]["faults"]
    assert kind == {"zero": "all 1 values are 0, as no golden row is answered: filled in, not scored"}.get(
        fault, "HTTP 503"
    )


def test_a_late_generator_is_inconclusive_and_never_a_pass(
    repo: Repo, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_mlgates.measure.load.samples.LATE_MS", 0.0)
    monkeypatch.setattr("pytest_mlgates.measure.load.samples.LATE_SHARE", 0.0)
    asked(repo, serve(*OF_CHALLENGER), serve(*OF_CHAMPION))
    assert repo.apply().ret == 10
    verdict, sentence = repo.said_of("latency")
    assert verdict == "INCONCLUSIVE"
    assert "p99: the load generator sent 1 % of its requests " in sentence
    assert [j["verdict"] for j in judgements(repo).values()][:2] == ["INCONCLUSIVE"] * 2


def test_the_first_champion_is_measured_alone(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER), "", QUICK + "[tool.mlgates.first_promotion]\nroc_auc = 0.6\n")
    repo.point("champion", None)
    run = repo.run("--mlgate-challenger", BETTER)
    assert run.ret == 0, run.text
    assert list(judgements(repo)) == ["p99", "error rate"]


def test_beside_other_tests_it_is_inconclusive(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER), serve(*OF_CHAMPION))
    assert repo.run_n2().ret == 10
    verdict, sentence = repo.said_of("latency")
    assert (verdict, sentence) == ("INCONCLUSIVE", "times measured beside other tests say nothing: run without -n")


def test_two_worker_processes_reach_the_same_verdict(repo: Repo, serve: Serve) -> None:
    asked(repo, serve(*OF_CHALLENGER), serve(*OF_CHAMPION), QUICK + "workers = 2\n")
    assert repo.run().ret == 0
    assert judgements(repo)["p99"]["evidence"]["n"] == 1000


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("timeout = 0.1", "timeout = 0.1 s must be longer than p99_ms = 200, or no answer is ever late"),
        ("rate = 1.0", "at 1 requests a second the first look comes after 1012 s, but within = 600: raise within or"),
        ("workers = 2\nremote_workers = 2", "workers are processes here, remote_workers are elsewhere: keep one of"),
        ("remote_workers = 2", 'remote_workers connect to bind: give both, e.g. bind = "0.0.0.0:5557", or neither'),
        ('remote_workers = 2\nbind = "5557"', "bind is an address and a port, e.g. \"0.0.0.0:5557\", not '5557'"),
        ("p99 = 3", "unknown key 'latency.p99' in "),
        ("errors = 0.0", "latency.errors in "),
    ],
)
def test_settings_that_cannot_be_measured_are_refused(repo: Repo, more: str, sentence: str) -> None:
    asked(repo, "http://127.0.0.1:8", "http://127.0.0.1:9", more)
    run = repo.run()
    assert run.ret == 4
    assert sentence in run.text


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_pytest_is_ended_in_mid_load(repo: Repo, serve: Serve, end: signal.Signals) -> None:
    asked(repo, serve(*OF_CHALLENGER), serve(*OF_CHAMPION), QUICK.replace("seconds = 0", "seconds = 60"))
    command = [sys.executable, "-m", "pytest", *ALONE, "--mlgate", "-q"]
    with subprocess.Popen(command, cwd=repo.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            found = until(lambda: generator_of(process.pid))
            os.kill(process.pid, end)
            process.wait(30)
        finally:
            process.kill()
    until(lambda: not any(map(alive, found)))


def generator_of(pid: int) -> list[int]:
    """All processes that pytest has started, once Locust is among them and has sent for a while."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat = (place / "stat").read_text().rpartition(")")[2].split()
            found += [(int(place.name), (place / "cmdline").read_text())] if int(stat[1]) == pid else []
        except OSError:
            continue
    return [one for one, _ in found] if any("locustfile.py" in command for _, command in found) else []


def until(what: Callable[[], Any], within: float = 40.0) -> Any:
    end = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.05)
    return found


class TestInprocess:
    """Through pytest-benchmark, which the other tests of this folder leave out."""

    WITH = ("-p", "pytest_benchmark.plugin")

    def ask(self, repo: Repo, more: str = "p99_ms = 2000.0\nrounds = 299") -> None:
        repo.settings(f"[tool.mlgates.inprocess_latency]\n{more}\n", gates=["core", "inprocess_latency"])

    def test_a_quick_model_passes_and_its_rounds_are_kept(self, repo: Repo) -> None:
        self.ask(repo)
        run = repo.run(*self.WITH, "--benchmark-json", "bench.json")
        assert run.ret == 0, run.text
        (judged,) = judgements(repo, "inprocess_latency").values()
        assert (judged["evidence"]["n"], judged["limit"]) == (299, "<= 2,000")
        assert list(judged["evidence"]["details"]["quantiles_ms"]) == ["p50", "p90", "p99"]
        import json

        (kept,) = json.loads((repo.path / "bench.json").read_text())["benchmarks"]
        assert kept["extra_info"]["model"] == "credit v2"
        assert kept["stats"]["rounds"] == 299
        repo.on_page("inprocess_latency", "passing", exact=False)

    def test_a_limit_that_no_model_keeps_fails(self, repo: Repo) -> None:
        self.ask(repo, "p99_ms = 0.0001\nrounds = 299")
        assert repo.run(*self.WITH).ret == 1
        repo.on_page("inprocess_latency", "failing", exact=False)

    def test_beside_other_tests_it_is_inconclusive(self, repo: Repo) -> None:
        self.ask(repo)
        assert repo.run_n2(*self.WITH).ret == 10
        assert repo.said_of("inprocess_latency")[0] == "INCONCLUSIVE"

    def test_without_timing_it_is_inconclusive(self, repo: Repo) -> None:
        self.ask(repo)
        assert repo.run(*self.WITH, "--benchmark-disable").ret == 10
        verdict, sentence = repo.said_of("inprocess_latency")
        assert (verdict, sentence) == ("INCONCLUSIVE", "p99: pytest-benchmark is disabled, so nothing was timed")

    def test_skipped_it_is_no_pass(self, repo: Repo) -> None:
        self.ask(repo)
        assert repo.run(*self.WITH, "--benchmark-skip").ret == 10
        assert repo.said_of("inprocess_latency")[0] == "ERROR"

    def test_without_pytest_benchmark_the_error_names_it(self, repo: Repo) -> None:
        self.ask(repo)
        assert repo.run().ret == 10
        verdict, sentence = repo.said_of("inprocess_latency")
        assert verdict == "ERROR"
        assert sentence.endswith("pip install pytest-benchmark")

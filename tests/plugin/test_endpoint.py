"""Endpoints in a whole run: whose they are, that they are the right ones, and that nothing of them is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import pytest

from mlrepo import ALONE, CORE, Repo
from pytest_mlgates.cli import main
from tests.serving.processes import group, until
from tests.serving.servers import Served, better, score, serving

Capture = pytest.CaptureFixture[str]
USES_ENDPOINT = """
@pytest.mark.mlgate("speaks")
def test_speaks(gate, endpoint, golden_set):
    gate.judge(Evidence("answers", len(endpoint.answer(golden_set.X.head(3))), n=3), at_least(3))
"""


def tell(repo: Repo, *gates: str, more: str = "", **endpoint: object) -> None:
    """Ask for these gates beside the core, with these keys of [tool.mlgates.endpoint]."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in endpoint.items()]
    repo.settings("\n".join(["[tool.mlgates.endpoint]", *lines, more]), gates=["core", *gates])


@pytest.fixture
def served() -> Iterator[Served]:
    """The challenger's scores, as the mlflow protocol has them."""
    with serving(answers=better) as running:
        yield running


# The gate golden_record.


def test_an_endpoint_that_answers_as_the_model_does_passes(repo: Repo, served: Served, spread: list[str]) -> None:
    tell(repo, "golden_record", challenger_url=served.url)
    run = repo.run(*spread)
    assert run.ret == 0, run.text
    assert repo.said_of("golden_record")[1].startswith("deviation of scores ")
    [gate] = [gate for gate in repo.evidence()["gates"] if gate["name"] == "golden_record"]
    assert gate["judgements"][0]["evidence"]["n"] == 100


def test_labels_are_compared_with_labels(repo: Repo, served: Served) -> None:
    served.answers = lambda record: int(better(record) > 0.5)
    tell(repo, "golden_record", challenger_url=served.url)
    assert repo.run().ret == 0
    assert repo.said_of("golden_record") == ("PASS", "deviation of labels 0: proven <= 0.0001")


def test_an_endpoint_with_another_version_fails(repo: Repo, served: Served, spread: list[str]) -> None:
    served.answers = score
    tell(repo, "golden_record", challenger_url=served.url)
    assert repo.run(*spread).ret == 1
    verdict, said = repo.said_of("golden_record")
    assert verdict == "FAIL"
    assert said.endswith("proven not <= 0.0001")


def test_scores_where_labels_were_declared_fail(repo: Repo, served: Served) -> None:
    tell(repo, "golden_record", challenger_url=served.url, output="labels")
    assert repo.run().ret == 1
    assert repo.said_of("golden_record") == ("FAIL", "deviation of labels 1: proven not <= 0.0001")


@pytest.mark.parametrize(
    ("protocol", "keys"), [("kserve", {"server_name": "credit", "input": "features"}), ("json", {}), ("sse", {})]
)
@pytest.mark.slow
def test_each_protocol_in_a_whole_run(repo: Repo, protocol: str, keys: dict[str, str]) -> None:
    with serving(protocol, answers=better) as served:
        tell(repo, "golden_record", challenger_url=served.url, wire=protocol, **keys)
        run = repo.run()
    assert run.ret == 0, run.text
    assert repo.verdicts()["golden_record"] == "PASS"


# Endpoints that are not what they should be.


def test_nobody_there_is_an_error(repo: Repo) -> None:
    tell(repo, "golden_record", challenger_url="http://127.0.0.1:9", start_timeout=0.1)
    assert repo.run().ret == 10
    assert repo.said_of("golden_record") == (
        "ERROR",
        "challenger credit v2 at http://127.0.0.1:9: nothing answers there (connection refused), tried for 0.1 s",
    )


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("redirect", "HTTP 307, a redirect to http://elsewhere/invocations: give the URL that answers itself"),
        ("error as 200", "HTTP 200 with an error in it: column x9 is missing"),
        ("html", "the content type is text/html, not application/json: Welcome to nginx!"),
        ("half", "it closed the connection in the middle of its answer"),
    ],
)
def test_what_is_no_answer_is_an_error(repo: Repo, served: Served, trouble: str, sentence: str) -> None:
    served.trouble = trouble
    tell(repo, "golden_record", challenger_url=served.url, start_timeout=0.1)
    assert repo.run().ret == 10
    verdict, said = repo.said_of("golden_record")
    assert (verdict, sentence in said) == ("ERROR", True)


def test_a_gate_never_measures_an_endpoint_that_answers_wrongly(repo: Repo, served: Served) -> None:
    served.answers = score
    repo.gates(USES_ENDPOINT, "speaks")
    tell(repo, "speaks", challenger_url=served.url)
    assert repo.run().ret == 10
    verdict, said = repo.said_of("speaks")
    assert verdict == "ERROR"
    assert said.startswith(f"challenger credit v2 at {served.url} is not this model: its scores for golden row ")
    assert said.endswith("from the model's own (tolerance 0.010%): is another version served there?")


def test_a_gate_of_ones_own_asks_the_endpoint(repo: Repo, served: Served) -> None:
    repo.gates(USES_ENDPOINT, "speaks")
    tell(repo, "speaks", challenger_url=served.url)
    assert repo.run().ret == 0
    assert repo.verdicts()["speaks"] == "PASS"


def test_without_a_url_another_protocol_is_an_error(repo: Repo) -> None:
    tell(repo, "golden_record", wire="json")
    assert repo.run().ret == 10
    assert repo.said_of("golden_record")[1] == (
        "challenger_url is missing in [tool.mlgates.endpoint]: without it the challenger is served by MLflow's scoring "
        "server, which does not speak 'json'; give the URL, or write wire = \"mlflow\""
    )


def test_workers_start_no_servers(repo: Repo) -> None:
    tell(repo, "golden_record", "memory", "overload")
    assert repo.run_n2().ret == 10
    assert repo.said_of("golden_record") == (
        "INCONCLUSIVE",
        "each worker would start servers of its own: run without -n, or give challenger_url in [tool.mlgates.endpoint]",
    )
    for gate in ("memory", "overload"):
        assert repo.said_of(gate) == (
            "INCONCLUSIVE",
            "times measured beside other tests say nothing: run without -n",
        )
    assert not (repo.path / ".mlgates" / "run").exists()


def test_a_conftest_cannot_put_its_own_endpoint_there(repo: Repo, served: Served) -> None:
    repo.gates(USES_ENDPOINT, "speaks")
    tell(repo, "speaks", challenger_url=served.url)
    repo.write(
        "checks/conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def endpoint():
            class Fake:
                def answer(self, rows):
                    return rows
            return Fake()
        """,
    )
    assert repo.run().ret == 10
    assert repo.said_of("speaks") == (
        "ERROR",
        "the fixture `endpoint` is not what this run pinned: a conftest defines its own; rename that one",
    )


# Memory and overload ask for what cannot be had.


def test_memory_of_an_endpoint_elsewhere_cannot_be_seen(repo: Repo, served: Served) -> None:
    tell(repo, "memory", challenger_url=served.url)
    assert repo.run().ret == 10
    assert repo.said_of("memory") == (
        "ERROR",
        f"challenger credit v2 at {served.url} runs elsewhere, where its memory cannot be seen: leave its URL out of "
        "[tool.mlgates.endpoint], so that it is served here",
    )


# Settings.


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"challenger_url": "localhost:8080"}, "write a URL such as http://host:8080"),
        ({"challenger_url": "http://me:pw@host"}, "a URL holds no password"),
        ({"challenger_url": "http://h", "champion_url": "http://h"}, "an endpoint compared with itself"),
        ({"wire": "grpc"}, "endpoint.wire in pyproject.toml [tool.mlgates] must be one of 'mlflow', 'kserve', 'json'"),
        ({"wire": "kserve"}, "the wire 'kserve' needs the server's name of the model"),
        ({"template": "{rows}"}, "the wire 'mlflow' has no option 'template'"),
        ({"wire": "json", "template": "rows"}, "must be JSON with {records}, {rows}, {record} or {row} in it"),
        ({"urls": "http://h"}, "unknown key 'endpoint.urls' in pyproject.toml [tool.mlgates]"),
    ],
)
def test_a_wrong_setting_is_one_sentence(repo: Repo, keys: dict[str, object], sentence: str) -> None:
    tell(repo, **keys)
    run = repo.run()
    assert run.ret == 4
    assert sentence in run.text
    assert "pw@" not in run.text


def test_a_secret_belongs_in_the_environment(repo: Repo) -> None:
    tell(repo, more='headers = {Authorization = "Bearer abc"}')
    run = repo.run()
    assert run.ret == 4
    assert 'Authorization is a secret, which belongs in the environment: Authorization = "env:NAME"' in run.text


def test_a_secret_from_the_environment_reaches_the_server_and_nobody_else(
    repo: Repo, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_TOKEN", "hush-hush")
    tell(repo, "golden_record", challenger_url=served.url, more='headers = {Authorization = "Bearer env:CREDIT_TOKEN"}')
    run = repo.run()
    assert run.ret == 0, run.text
    assert {headers["Authorization"] for _, headers, _ in served.asked} == {"Bearer hush-hush"}
    written = [file.read_text() for file in (repo.path / ".mlgates" / "report").iterdir()]
    assert "hush-hush" not in run.lines + "".join(written)


# What a killed run left behind.


def test_the_next_run_says_what_a_killed_one_left_and_ends_it(repo: Repo) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as left:
        code = (
            "import sys; from pathlib import Path; from pytest_mlgates.adapters.serving.leftovers import Note; "
            "Note.write(Path(sys.argv[1]), int(sys.argv[2]), 'champion credit v1', Path(sys.argv[1]) / 'a.log')"
        )
        folder = repo.path / ".mlgates" / "run"
        folder.mkdir(parents=True)
        subprocess.run([sys.executable, "-c", code, str(folder), str(left.pid)], check=True)
        run = repo.run()
        assert run.ret == 0, run.text
        assert (
            "mlgates: a run that was killed had started a server for champion credit v1; it still ran and was ended "
            f"(process {left.pid})"
        ) in run.text
        assert left.wait(20) == -signal.SIGKILL
    assert "a run that was killed" not in repo.run().text


# The real thing: two of MLflow's own scoring servers. It takes longer than all the rest.

WAITS = """
@pytest.mark.mlgate("waits")
def test_waits(gate, challenger_endpoint, champion_endpoint, golden_set):
    import os, time
    head = golden_set.X.head(3)
    assert len(challenger_endpoint.answer(head)) == len(champion_endpoint.answer(head)) == 3
    with open("pids", "w") as file:
        file.write(" ".join(str(one.processes[0]) for one in (challenger_endpoint, champion_endpoint)))
    if os.path.exists("wait"):
        os.rename("pids", "ready")
        time.sleep(300)
    gate.judge(Evidence("answers", 3, n=3), at_least(3))
"""


@pytest.mark.long
def test_both_are_served_side_by_side_and_gone_afterwards(repo: Repo) -> None:
    repo.gates(WAITS, "waits")
    tell(repo, "waits", "golden_record")
    run = repo.run()
    assert run.ret == 0, run.text
    assert {*CORE, "waits", "golden_record"} == set(repo.verdicts())
    challenger, champion = map(int, (repo.path / "pids").read_text().split())
    assert challenger != champion
    assert group(challenger) == group(champion) == []
    assert list((repo.path / ".mlgates" / "run").iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_nothing_survives_an_interrupted_or_killed_run(repo: Repo, sign: signal.Signals) -> None:
    repo.gates(WAITS, "waits")
    tell(repo, "waits")
    (repo.path / "wait").touch()
    command = [sys.executable, "-m", "pytest", *ALONE, "--mlgate"]
    # Whoever is started in the background of a shell ignores Ctrl-C; this one must not.
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, cwd=repo.path, stdout=subprocess.DEVNULL, preexec_fn=heeds) as run:
        assert until(lambda: (repo.path / "ready").exists(), 120)
        leaders = [int(pid) for pid in (repo.path / "ready").read_text().split()]
        assert all(len(group(leader)) == 2 for leader in leaders)
        run.send_signal(sign)
        run.wait(60)
    assert until(lambda: not any(group(leader) for leader in leaders))
    (repo.path / "wait").unlink()
    tell(repo, "waits", start_timeout=0.001)
    said = repo.run().text
    assert said.count("a run that was killed had started a server for") == (2 if sign == signal.SIGKILL else 0)


# The golden record for `mlgates probe`, from this repository.


def test_a_record_is_written_and_probed(repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(repo.path)
    assert main(["golden", "record", "challenger", "--rows", "4"]) == 0
    assert capsys.readouterr().out == (
        "wrote golden.record.json: 4 golden rows, answered by credit v2: labels, scores, scores\n"
    )
    with serving(answers=better) as served:
        assert main(["probe", served.url]) == 0
        served.answers = score
        assert main(["probe", served.url]) == 1
    assert main(["golden", "record", "nobody"]) == 2

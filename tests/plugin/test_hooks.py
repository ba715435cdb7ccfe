"""Hooks: each example of docs/how-to/extend.md, run, and what a plugin that is wrong costs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlrepo import Repo
from pytest_mlgates.cli import main
from tests.docs.pages import blocks
from tests.serving.servers import better

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "extend.md"


def example(mark: str) -> str:
    return blocks(PAGE.read_text())[mark]


def conftest(repo: Repo, *marks: str) -> None:
    repo.write("conftest.py", "\n".join(example(mark) for mark in marks))


def test_a_metric_of_ones_own(repo: Repo, spread: list[str]) -> None:
    conftest(repo, "metric")
    repo.settings(example("metric settings"), gates=["core"])
    run = repo.run(*spread)
    assert "golden_regression cost_saved gain" in run.text
    assert run.ret == 0, run.lines


def test_a_rule_of_ones_own(repo: Repo, spread: list[str]) -> None:
    conftest(repo, "rule")
    repo.write("checks/test_alarms.py", example("rule gate"))
    repo.settings(paths=["checks"], gates=["core", "alarms"])
    run = repo.run(*spread)
    assert run.ret == 0, run.lines
    assert repo.said_of("alarms")[0] == "PASS"
    assert "alarms alarms a day" in run.text
    assert "between 100 and 2000" in run.text


class Shop(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = json.dumps({"risk": [better(row) for row in rows]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    """The URL of a service that speaks a protocol nobody else does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("wire", ["shop", "shop_wire:Shop"])
def test_a_protocol_of_ones_own(repo: Repo, shop: str, wire: str) -> None:
    repo.write("shop_wire.py", example("wire module"))
    if wire == "shop":
        conftest(repo, "wire")
    endpoint = f'[tool.mlgates.endpoint]\nchallenger_url = "{shop}"\nwire = "{wire}"\n'
    repo.settings(endpoint, gates=["core", "golden_record"])
    run = repo.run()
    assert run.ret == 0, run.text
    assert repo.said_of("golden_record")[1].startswith("deviation of scores ")


def test_a_section_of_the_report(repo: Repo) -> None:
    conftest(repo, "section")
    assert repo.run().ret == 0
    assert repo.evidence()["sections"] == [{"title": "For the auditors", "rows": [["gates judged", "4"]]}]
    assert "For the auditors" in (repo.path / ".mlgates" / "report" / "report.html").read_text()


def test_a_section_that_tells_the_time_makes_no_other_evidence(
    repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card of a promoted version rests on the evidence kept with it, whatever a section says."""
    repo.write(
        "conftest.py",
        "import time\ndef pytest_mlgates_report_sections(evidence): return [('now', {'ns': str(time.time_ns())})]",
    )
    assert repo.apply().ret == 0
    monkeypatch.chdir(repo.path)
    capsys.readouterr()
    assert main(["card"]) == 0, capsys.readouterr().err


def test_a_notifier(repo: Repo) -> None:
    conftest(repo, "notifier")
    assert repo.apply().ret == 0
    assert (repo.path / "told.txt").read_text() == "[SEV4] promoted: credit v2\n"


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ("def pytest_mlgates_notify(message): 1 / 0", "nobody was told by"),
        ("def pytest_mlgates_notify(message): raise SystemExit(0)", "SystemExit: 0; the decision stands"),
        ("def pytest_mlgates_report_sections(evidence): return [('only a title',)]", "no section of the report from"),
        ("def pytest_mlgates_report_sections(evidence): 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_breaks_afterwards_changes_no_verdict(repo: Repo, hook: str, sentence: str) -> None:
    repo.write("conftest.py", hook)
    run = repo.apply()
    assert run.ret == 0
    assert sentence in run.text
    assert repo.champion() == "2"


def test_a_notifier_that_hangs_is_left_behind(repo: Repo) -> None:
    hangs = "import threading\ndef pytest_mlgates_notify(message): threading.Event().wait(30)\n"
    repo.write("conftest.py", hangs)
    repo.settings("[tool.mlgates.notify]\ntimeout_s = 0.2\n")
    run = repo.apply()
    assert run.ret == 0
    assert "it takes longer than 0.2 s; the decision stands" in run.text


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ("def pytest_mlgates_metrics(): return {'roc_auc': max}", "a plugin adds the metric 'roc_auc', which there is"),
        ("def pytest_mlgates_metrics(): return ['x']", "must return names and metrics, such as {...}, not ['x']"),
        (
            "def pytest_mlgates_metrics(): 1 / 0",
            "pytest_mlgates_metrics of a plugin, or of a conftest.py, raised ZeroDiv",
        ),
        ("def pytest_mlgates_rules(): return {'': max}", "a plugin adds the rule '', which is <built-in function max>"),
        ("def pytest_mlgates_rules(): return {'mine': 3}", "a plugin adds the rule 'mine', which is 3 and cannot be"),
        ("def pytest_mlgates_rules(): return {'at_least': max}", "a plugin adds the rule 'at_least', which there is"),
        (
            "from pytest_mlgates.wires.plain import PlainJson\nclass Mine(PlainJson): NAME = 'mine'\n"
            "def pytest_mlgates_wires(): return {'mine': Mine}",
            "the wire 'mine' is defined in conftest, which other processes cannot import: put it in a module",
        ),
        ("def pytest_mlgates_wires(): return {'mine': dict}", "not a subclass of pytest_mlgates.wires.base.Base"),
    ],
)
def test_a_plugin_that_is_wrong_is_a_usage_error(repo: Repo, hook: str, sentence: str) -> None:
    repo.write("conftest.py", hook)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (4, "1"), run.text
    assert sentence in run.text
    assert "INTERNALERROR" not in run.text


def test_a_hook_that_is_misspelt_ends_the_run(repo: Repo) -> None:
    repo.write("conftest.py", "def pytest_mlgates_metrix(): return {}")
    run = repo.apply()
    assert run.ret != 0
    assert "unknown hook 'pytest_mlgates_metrix'" in run.text
    assert repo.champion() == "1"


def test_a_rule_that_is_not_there_is_an_error_of_the_gate(repo: Repo) -> None:
    repo.gates(
        """
        @pytest.mark.mlgate("mine")
        def test_mine(gate):
            gate.judge(good()[0], gate.rule("at_lest")(1))
        """,
        "mine",
    )
    assert repo.run().ret == 10
    verdict, sentence = repo.said_of("mine")
    assert verdict == "ERROR"
    assert "there is no rule 'at_lest': known are at_least, at_most" in sentence


def test_what_one_session_adds_the_next_does_not_know(repo: Repo) -> None:
    from pytest_mlgates import extensions, wires

    conftest(repo, "metric", "rule")
    repo.settings(example("metric settings"), gates=["core"])
    assert repo.run().ret == 0
    assert (extensions.known.metrics, extensions.known.rules, wires.OWN) == ({}, {}, {})


def test_an_ordinary_run_is_not_troubled_by_hooks(repo: Repo) -> None:
    conftest(repo, "metric", "rule", "section", "notifier")
    repo.write("test_ordinary.py", "def test_it(): pass")
    assert repo.run_apart("test_ordinary.py", mlgate=False).ret == 0

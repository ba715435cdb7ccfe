"""Whatever keeps a gate from being proven keeps the challenger from being promoted.

Every test here runs the real default gates, which pass, beside one gate of the user's own; ``--mlgate-apply`` is given,
so a hole would show as a promotion.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mlrepo import ALONE, BETTER, CHAMPION, CORE, HANGS, N2, Repo, Run


def assert_held(repo: Repo, run: Run, code: int, *sentences: str) -> None:
    for sentence in sentences:
        assert sentence in run.text
    assert (run.ret, repo.champion()) == (code, CHAMPION)


@dataclass(frozen=True)
class Case:
    """A gate `mine` that proves nothing: its source, and the verdict and sentence it must get."""

    source: str
    verdict: str
    sentence: str
    marks: str = ""

    def code(self) -> int:
        return {"FAIL": 1, "ERROR": 10, "INCONCLUSIVE": 10}[self.verdict]

    def written(self, name: str) -> str:
        body = textwrap.indent(textwrap.dedent(self.source).strip(), "    ")
        return f'{self.marks}@pytest.mark.mlgate("{name}")\ndef test_{name}(gate, request):\n{body}\n\n'


BROKEN = (
    "@pytest.fixture\ndef broken():\n    raise OSError('no GPU')\n\n"
    "@pytest.fixture\ndef leaky():\n    yield\n    raise OSError('cannot clean up')\n\n"
)
CASES = {
    "skipped": Case("pytest.skip('no data today')", "ERROR", "skipped (Skipped: no data today): a skipped gate proves"),
    "skipped_after_judging": Case(
        "gate.judge(*good()); pytest.skip('enough')", "ERROR", "a skipped gate proves nothing"
    ),
    "skip_mark": Case("gate.judge(*good())", "ERROR", "a skipped gate", "@pytest.mark.skip(reason='flaky')\n"),
    "imports_what_is_absent": Case("pytest.importorskip('no_such_module')", "ERROR", "a skipped gate proves nothing"),
    "xfailed": Case("assert False", "FAIL", "the assertion failed", "@pytest.mark.xfail\n"),
    "xpassed": Case("gate.judge(*good())", "ERROR", "the gate is marked xfail", "@pytest.mark.xfail\n"),
    "xpassed_strictly": Case("gate.judge(*good())", "ERROR", "xfail", "@pytest.mark.xfail(strict=True)\n"),
    "xfail_called": Case("gate.judge(*good()); pytest.xfail('known')", "ERROR", "the gate is marked xfail"),
    "raising": Case("raise ValueError('boom')", "ERROR", "the gate crashed: ValueError: boom"),
    "raising_after_judging": Case("gate.judge(*good()); 1 / 0", "ERROR", "the gate crashed: ZeroDivisionError"),
    "exiting": Case("gate.judge(*good()); raise SystemExit(0)", "ERROR", "the gate crashed: SystemExit: 0"),
    "asserting": Case("gate.judge(*good()); assert 1 == 2, 'too slow'", "FAIL", "the assertion failed: too slow"),
    "calling_fail": Case("gate.judge(*good()); pytest.fail('no')", "FAIL", "no"),
    "judging_nothing": Case("pass", "ERROR", "the gate judged nothing: call gate.judge(evidence, rule)"),
    "returning": Case("return True", "ERROR", "the gate judged nothing"),
    "setup_error": Case(
        "gate.judge(*good())", "ERROR", "the gate crashed: OSError: no GPU", "@pytest.mark.usefixtures('broken')\n"
    ),
    "teardown_error": Case(
        "gate.judge(*good())",
        "ERROR",
        "the gate crashed: OSError: cannot clean up",
        "@pytest.mark.usefixtures('leaky')\n",
    ),
    "not_a_number": Case(
        "gate.judge(Evidence('ece', float('nan'), n=9), at_most(1))", "ERROR", "ece: the figure is not a number (NaN)"
    ),
    "nothing_measured": Case(
        "gate.judge(Evidence('ece', None, n=9), at_most(1))", "ERROR", "ece: nothing was measured"
    ),
    "measured_on_nothing": Case("gate.judge(Evidence('ece', 0.0), at_most(1))", "ERROR", "measured on nothing (n = 0)"),
    "infinite": Case("gate.judge(Evidence('gain', float('inf'), n=9), at_least(1))", "ERROR", "the figure is infinite"),
    "nan_bound": Case(
        "gate.judge(Evidence('gain', 2, 9, Interval(1, float('nan'), .9, 'x')), at_least(1))", "ERROR", "not a number"
    ),
    "upside_down": Case(
        "gate.judge(Evidence('gain', 2, 9, Interval(3, 1, .9, 'x')), at_least(1))",
        "ERROR",
        "the interval is upside down",
    ),
    "cannot_say": Case(
        "gate.judge(Evidence('ece', 0, 9, cannot_say='too few rows'), at_most(1))", "INCONCLUSIVE", "ece: too few rows"
    ),
    "wide_interval": Case(
        "gate.judge(Evidence('gain', .2, 9, Interval(-.1, .5, .9, 'x')), at_least(0))",
        "INCONCLUSIVE",
        "the interval reaches across the limit >= 0",
    ),
    "over_the_limit": Case("gate.judge(Evidence('ece', 2, 9), at_most(1))", "FAIL", "ece 2: proven not <= 1"),
    "one_bad_slice_of_three": Case(
        "for value in (0, 2, 0): gate.judge(Evidence('ece', value, 9, where=f'slice {value}'), at_most(1))",
        "FAIL",
        "ece [slice 2] 2: proven not <= 1",
    ),
    "raising_rule": Case(
        "gate.judge(Evidence('ece', 0, 9), lambda evidence: 1 / 0)", "ERROR", "ece: the rule raised ZeroDivisionError"
    ),
    "rule_that_answers_true": Case(
        "gate.judge(Evidence('ece', 0, 9), lambda evidence: True)",
        "ERROR",
        "the rule returned True instead of a Finding",
    ),
    "rule_with_a_word_for_a_verdict": Case(
        "gate.judge(Evidence('ece', 0, 9), lambda evidence: Finding('PASS', 'as it should be'))",
        "ERROR",
        "ece: the rule gave the verdict 'PASS': write Verdict.PASS, .INCONCLUSIVE, .ERROR or .FAIL",
    ),
    "failing_in_a_part": Case(
        "with request.getfixturevalue('subtests').test('north'): assert 1 == 2, 'too slow'\ngate.judge(*good())",
        "FAIL",
        "the assertion failed: too slow",
    ),
    "skipped_in_a_part": Case(
        "with request.getfixturevalue('subtests').test('north'): pytest.skip('no data')\ngate.judge(*good())",
        "ERROR",
        "a skipped gate proves nothing",
    ),
    "nan_limit": Case(
        "gate.judge(Evidence('ece', 0, 9), at_most(float('nan')))",
        "INCONCLUSIVE",
        "the interval reaches across the limit",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_gate_that_proves_nothing_holds(repo: Repo, name: str) -> None:
    case = CASES[name]
    repo.gates(BROKEN + case.written("mine"), "mine")
    run = repo.apply()
    assert repo.said_of("mine")[0] == case.verdict
    assert case.sentence in repo.said_of("mine")[1]
    assert_held(repo, run, case.code(), f"HOLD credit v{BETTER}: mine: ", case.sentence)


@pytest.mark.slow
def test_two_workers_say_the_same_of_every_one_of_them(repo: Repo) -> None:
    repo.gates(BROKEN + "".join(case.written(name) for name, case in CASES.items()), *CASES)
    alone = repo.apply()
    said = {name: repo.said_of(name) for name in CASES}
    spread = repo.apply(*N2)
    assert {name: repo.said_of(name) for name in CASES} == said
    assert {name: verdict for name, (verdict, _) in said.items()} == {n: c.verdict for n, c in CASES.items()}
    assert_held(repo, alone, 1)
    assert_held(repo, spread, 1)


class TestHidden:
    """A required gate that was left out was not judged; `--mlgate-apply` refuses such options from the start."""

    def hidden(self, repo: Repo, *args: str) -> Run:
        repo.gates('@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    gate.judge(*good())\n', "mine")
        return repo.run(*args)

    @pytest.mark.parametrize(
        "args",
        [["-k", "not mine"], ["-m", "not mlgate"], ["--deselect", "checks/test_own.py::test_mine"]],
        ids=lambda args: args[0],
    )
    def test_deselected(self, repo: Repo, args: list[str], spread: list[str]) -> None:
        run = self.hidden(repo, *args, *spread)
        assert_held(repo, run, 10, f"mine: deselected by {args[0]}, so it was not judged")

    def test_last_failed(self, repo: Repo) -> None:
        failing = '@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    gate.judge(*good()); assert OK\n'
        repo.gates("OK = False\n" + failing, "mine")
        assert repo.run().ret == 1
        repo.gates("OK = True\n" + failing, "mine")
        run = repo.run("--lf")
        said = "golden_regression: not collected: --lf leaves out the files in which nothing failed last time"
        assert_held(repo, run, 10, said)

    def test_collect_only(self, repo: Repo, spread: list[str]) -> None:
        assert_held(repo, self.hidden(repo, "--co", *spread), 10, "--collect-only judges nothing")

    @pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
    def test_set_up_but_not_called(self, repo: Repo, option: str) -> None:
        assert_held(repo, self.hidden(repo, "--mlgate-apply", option), 10, ": the gate did not run to its end")

    @pytest.mark.parametrize("option", ["--fixtures-per-test", "--cache-show"])
    def test_only_shown(self, repo: Repo, option: str) -> None:
        """pytest ends such calls like a session in which all went well."""
        self.hidden(repo, "--mlgate-apply", option)
        assert repo.champion() == CHAMPION

    @pytest.mark.parametrize("option", ["--fixtures", "--markers", "--version", "--help"])
    def test_questions_about_pytest_are_answered(self, repo: Repo, option: str) -> None:
        run = self.hidden(repo, option)
        assert (run.ret, repo.champion()) == (0, CHAMPION)
        assert "HOLD" not in run.text

    def test_stopping_at_the_first_failure(self, repo: Repo) -> None:
        repo.gates(
            """
            @pytest.mark.mlgate("first", stage="data")
            def test_first(gate):
                gate.judge(Evidence("ece", 2, n=9), at_most(1))
            """,
            "first",
        )
        run = repo.apply("-x")
        assert_held(repo, run, 1, "first: ece 2: proven not <= 1")
        assert "bootstrap_auc: collected, but no report of it arrived" in run.text

    def test_ignored(self, repo: Repo) -> None:
        run = self.hidden(repo, "--mlgate-apply", "--ignore=checks/test_own.py")
        assert_held(repo, run, 10, "mine: not collected: no test with this gate's name was found")

    def test_explicit_paths_leave_the_shipped_gates_out(self, repo: Repo) -> None:
        run = self.hidden(repo, "--mlgate-apply", "checks/test_own.py")
        assert_held(repo, run, 10, "golden_regression: not collected: no test with this gate's name was found")
        assert repo.verdicts() == {"golden_integrity": "PASS", "mine": "PASS"}, "identity is proven all the same"

    def test_missing(self, repo: Repo) -> None:
        repo.settings(gates=["core", "calibration"])
        run = repo.apply()
        assert_held(repo, run, 10, "calibration: not collected: no test with this gate's name was found")

    def test_a_gate_file_that_cannot_be_imported(self, repo: Repo, spread: list[str]) -> None:
        repo.gates("import no_such_module\n", "mine")
        run = repo.apply(*spread)
        assert "INTERNALERROR" not in run.text
        assert "No module named 'no_such_module'" in run.text
        assert_held(repo, run, 2, f"HOLD credit v{BETTER}: checks/test_own.py cannot be collected")


def test_a_gate_defined_twice_is_a_usage_error(repo: Repo, spread: list[str]) -> None:
    repo.gates(
        """
        @pytest.mark.mlgate("mine")
        @pytest.mark.parametrize("part", ["north", "south"])
        def test_mine(gate, part):
            gate.judge(*good())
        """,
        "mine",
    )
    run = repo.apply(*spread)
    assert_held(repo, run, 4, "the gate 'mine' is defined twice: checks/test_own.py::test_mine[north] and ")
    assert "judge several things in one gate by calling gate.judge for each" in run.text


def test_a_gate_of_the_users_cannot_stand_in_for_a_shipped_one(repo: Repo, spread: list[str]) -> None:
    repo.gates('@pytest.mark.mlgate("golden_regression")\ndef test_mine(gate):\n    gate.judge(*good())\n')
    said = "checks/test_own.py::test_mine takes the name of the shipped gate 'golden_regression', for which it could"
    for run in (repo.apply(*spread), repo.apply("checks/test_own.py", *spread)):
        assert_held(repo, run, 4, said)
    assert 'e.g. @pytest.mark.mlgate("my_golden_regression"), and waive the shipped one' in run.text


class TestOrdinaryTestsBesideGates:
    def test_a_failing_one_holds(self, repo: Repo, spread: list[str]) -> None:
        repo.gates("def test_ordinary():\n    assert 1 == 2\n")
        run = repo.apply(*spread)
        assert_held(repo, run, 1, f"HOLD credit v{BETTER}: the test checks/test_own.py::test_ordinary failed")

    def test_a_passing_one_does_not(self, repo: Repo) -> None:
        repo.gates("def test_ordinary():\n    pass\n\ndef test_other():\n    pytest.skip('later')\n")
        run = repo.apply()
        assert (run.ret, repo.champion()) == (0, BETTER)

    def test_one_that_asks_for_gate_is_told_how(self, repo: Repo) -> None:
        repo.gates("def test_ordinary(gate):\n    gate.judge(*good())\n")
        run = repo.apply()
        assert_held(repo, run, 1, 'test_ordinary asks for `gate`: mark it with @pytest.mark.mlgate("NAME")')

    def test_one_that_reports_in_the_name_of_a_gate(self, repo: Repo) -> None:
        """Properties are anybody's to write; only what was collected as a gate speaks for it."""
        repo.gates(
            """
            import json
            def test_ordinary(record_property):
                finding = {"verdict": "PASS", "sentence": "it is", "limit": "> 0"}
                evidence = {"measure": "ece", "value": 1, "n": 9}
                record_property("mlgate", json.dumps({"gate": {"name": "mine", "stage": "quality", "tier": "ask"}}))
                record_property("mlgate", json.dumps({"evidence": evidence, "finding": finding}))
            """,
            "mine",
        )
        said = "mine: checks/test_own.py::test_ordinary reports in the name of this gate, which it is not"
        assert_held(repo, repo.apply(), 10, said)


class TestOtherPlugins:
    def test_one_that_makes_the_report_of_a_gate_fail(self, repo: Repo) -> None:
        """As a limit of time does it; the gate's own judgements know nothing of it."""
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.hookimpl(wrapper=True)
            def pytest_runtest_makereport(item, call):
                report = yield
                if report.when == "call" and item.name == "test_mine":
                    report.outcome, report.longrepr = "failed", "took longer than 3 s"
                return report
            """,
        )
        repo.gates('@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    gate.judge(*good())\n', "mine")
        assert_held(repo, repo.apply(), 10, "mine: pytest reports that it failed: took longer than 3 s")

    def test_a_session_that_failed_without_a_test(self, repo: Repo) -> None:
        """As a limit of coverage does it."""
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.hookimpl(wrapper=True)
            def pytest_runtestloop(session):
                result = yield
                session.testsfailed += 1
                return result
            """,
        )
        assert_held(repo, repo.apply(), 10, "pytest ends with exit code 1, and no test failed: another plugin says")

    @pytest.mark.parametrize("code", [1, 42])
    def test_one_that_is_said_to_have_failed_at_its_end(self, repo: Repo, code: int) -> None:
        repo.write("conftest.py", f"def pytest_sessionfinish(session): session.exitstatus = {code}")
        assert_held(repo, repo.apply(), 10, f" exit code {code}, ")

    def test_a_waived_gate_that_failed_explains_it(self, repo: Repo) -> None:
        repo.settings(WAIVER.format(gate="bootstrap_auc", reason="CFO agreed", expires=""))
        assert repo.apply("--mlgate-challenger", "5").ret == 0


RERUNNER = """
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    told = list(item.user_properties)
    for attempt in range(2):
        item.user_properties[:] = told  # the second attempt knows nothing of the first
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        if not any(report.failed for report in reports):
            break
    return True
"""


def test_a_rerun_that_passes_does_not_undo_a_failure(repo: Repo) -> None:
    repo.write("conftest.py", RERUNNER)
    repo.gates(
        """
        tries = []
        @pytest.mark.mlgate("flaky")
        def test_flaky(gate):
            tries.append(1)
            gate.judge(Evidence("ece", 2 if len(tries) == 1 else 0, n=9), at_most(1))
        """,
        "flaky",
    )
    assert_held(repo, repo.apply(), 1, "flaky: ece 2: proven not <= 1")


class TestInterrupted:
    def test_ctrl_c_in_a_gate(self, repo: Repo) -> None:
        repo.gates('@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    raise KeyboardInterrupt\n', "mine")
        run = repo.apply()
        assert_held(repo, run, 2, f"HOLD credit v{BETTER}: the session was interrupted before its end")

    def test_ctrl_c_after_every_required_gate_passed(self, repo: Repo) -> None:
        repo.gates("def test_ordinary():\n    raise KeyboardInterrupt\n")
        assert_held(repo, repo.apply(), 2, "the session was interrupted before its end")
        assert repo.verdicts() == dict.fromkeys(CORE, "PASS")

    def test_pytest_exit_with_code_0(self, repo: Repo) -> None:
        repo.gates('@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    pytest.exit("enough", 0)\n', "mine")
        run = repo.apply()
        assert run.ret != 0
        assert repo.champion() == CHAMPION

    def test_pytest_exit_with_code_0_after_every_required_gate_passed(self, repo: Repo) -> None:
        repo.gates('def test_ordinary():\n    pytest.exit("enough", 0)\n')
        run = repo.apply()
        assert run.ret != 0
        assert repo.champion() == CHAMPION

    @pytest.mark.slow
    def test_a_signal_while_a_model_is_scoring_leaves_no_process(self, repo: Repo) -> None:
        """SIGINT, as a terminal or a CI that cancels sends it, while the challenger hangs."""
        pipe = repo.path / "asked"
        os.mkfifo(pipe)
        repo.forget()
        repo.settings('[tool.mlgates.artifact_safety]\nwritable = ["asked"]\n', scoring_env=["TEST_PIPE"])
        command = [sys.executable, "-m", "pytest", *ALONE, "--mlgate", "--mlgate-apply", "--mlgate-challenger", HANGS]
        with subprocess.Popen(
            command,
            cwd=repo.path,
            env=os.environ | {"TEST_PIPE": str(pipe)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                model = int(awaited(pipe))
                process.send_signal(signal.SIGINT)
                said, _ = process.communicate(timeout=60)
            finally:
                process.kill()
        assert_held(repo, Run(process.returncode, said), 2, "the session was interrupted before its end")
        assert gone(model)


def awaited(pipe: Path, seconds: float = 60) -> str:
    """What somebody writes into a named pipe; fails when nobody does."""
    handle = os.open(pipe, os.O_RDWR)
    try:
        ready, _, _ = select.select([handle], [], [], seconds)
        assert ready, "the model was never asked"
        return os.read(handle, 100).decode()
    finally:
        os.close(handle)


def gone(pid: int) -> bool:
    """True once the process has ended (a zombie that nobody has waited for counts as ended)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


WAIVER = """
[[tool.mlgates.waivers]]
gate = "{gate}"
reason = "{reason}"
{expires}
"""


class TestWaivers:
    def test_a_waived_gate_runs_but_does_not_count(self, repo: Repo) -> None:
        repo.settings(WAIVER.format(gate="bootstrap_auc", reason="CFO agreed", expires="expires = 2999-01-31"))
        run = repo.apply("--mlgate-challenger", "5")
        assert (run.ret, repo.champion()) == (0, "5")
        assert "waived: bootstrap_auc (CFO agreed)" in run.text
        assert repo.verdicts()["bootstrap_auc"] == "INCONCLUSIVE"
        assert repo.evidence()["waived"] == {"bootstrap_auc": "CFO agreed"}

    def test_an_expired_waiver_counts_no_more(self, repo: Repo) -> None:
        repo.settings(WAIVER.format(gate="bootstrap_auc", reason="CFO agreed", expires="expires = 2020-01-31"))
        run = repo.apply("--mlgate-challenger", "5")
        assert_held(repo, run, 10, "bootstrap_auc: ")
        assert "waiver" in run.text, "whoever relied on the waiver must see that it has ended"

    @pytest.mark.parametrize(
        ("gate", "reason", "sentence"),
        [
            ("latency", "later", "a waiver names the gate 'latency', which gates in pyproject.toml [tool.mlgates]"),
            ("bootstrap_auc", "", "waivers.0.reason in pyproject.toml [tool.mlgates] cannot be ''"),
        ],
    )
    def test_a_waiver_that_cannot_be_meant(self, repo: Repo, gate: str, reason: str, sentence: str) -> None:
        repo.settings(WAIVER.format(gate=gate, reason=reason, expires=""))
        assert_held(repo, repo.apply(), 4, sentence)

    def test_waiving_everything_proves_nothing(self, repo: Repo) -> None:
        repo.settings("".join(WAIVER.format(gate=gate, reason="hurry", expires="") for gate in CORE))
        assert_held(repo, repo.apply(), 10, "no gate was required, so nothing was proven")

    def test_an_indispensable_gate_cannot_be_left_out(self, repo: Repo) -> None:
        repo.settings(gates=["is_new", "bootstrap_auc", "golden_integrity"])
        run = repo.apply()
        assert_held(repo, run, 4, "leaves out 'golden_regression', which can be waived but not left out")

    def test_no_gates_at_all(self, repo: Repo) -> None:
        """TFMA counted a model with no metrics configured as validated."""
        repo.settings(gates=[])
        assert_held(repo, repo.apply(), 4, "is empty: nothing asked is nothing proven")


class TestIdentityFirst:
    """What would load the model does not run before identity is proven, in whichever process."""

    def test_nothing_is_loaded_when_the_golden_set_was_altered(self, repo: Repo, spread: list[str]) -> None:
        (repo.path / "golden.csv").write_text((repo.path / "golden.csv").read_text().replace("s001", "s002"))
        run = repo.apply(*spread)
        assert_held(repo, run, 10, "golden_integrity: the golden set ", "is not the file its pointer pins")
        for name in CORE[1:]:
            assert repo.said_of(name) == ("ERROR", "not run: identity is not proven (golden_integrity)")

    def test_an_identity_gate_of_the_users(self, repo: Repo, spread: list[str]) -> None:
        repo.gates(
            """
            @pytest.mark.mlgate("signed", stage="identity")
            def test_signed(gate):
                gate.judge(Evidence("signature", 0, n=1), at_least(1))
            """,
            "signed",
        )
        run = repo.apply(*spread)
        assert_held(repo, run, 1, "signed: signature 0: proven not >= 1")
        assert repo.said_of("golden_regression") == ("ERROR", "not run: identity is not proven (signed)")

    def test_deselecting_the_identity_gate_does_not_skip_the_proof(self, repo: Repo) -> None:
        (repo.path / "golden.csv").write_text((repo.path / "golden.csv").read_text().replace("s001", "s002"))
        assert_held(repo, repo.run("-k", "bootstrap"), 10)
        assert repo.said_of("bootstrap_auc") == ("ERROR", "not run: identity is not proven (golden_integrity)")

    def test_where_no_identity_is_asked_for_nothing_is_loaded(self, repo: Repo) -> None:
        """A list of a phase may be anything; what may load a model needs an identity gate in it."""
        repo.gates(
            """
            @pytest.mark.mlgate("mine", phase="live")
            def test_mine(gate, champion):
                gate.judge(*good())
            """
        )
        repo.settings(gates_live=["mine"])
        assert repo.apply("--mlgate-phase", "live").ret == 10
        which = "no identity gate was collected; golden_integrity is one"
        assert repo.said_of("mine") == ("ERROR", f"not run: identity is not proven ({which})")


class TestUsersConftest:
    @pytest.mark.parametrize("name", ["champion", "challenger", "golden_set"])
    def test_a_fixture_with_one_of_our_names_is_noticed(self, repo: Repo, name: str, spread: list[str]) -> None:
        repo.write(
            "conftest.py",
            f"""
            import pytest
            @pytest.fixture(scope="session")
            def {name}(mlgates_run):
                return mlgates_run.challenger
            """
            if name != "challenger"
            else """
            import pytest
            @pytest.fixture(scope="session")
            def challenger(mlgates_run):
                return mlgates_run.champion
            """,
        )
        run = repo.apply(*spread)
        assert_held(repo, run, 10, f"the fixture `{name}` is not what this run pinned: a conftest defines its own")

    def test_a_gate_fixture_of_the_users(self, repo: Repo) -> None:
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.fixture
            def gate():
                class Yes:
                    judge = lambda *args: None
                    settings = pins = policy = None
                return Yes()
            """,
        )
        run = repo.apply()
        assert run.ret == 10
        assert repo.champion() == CHAMPION

    def test_a_gate_fixture_that_wraps_ours(self, repo: Repo) -> None:
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.fixture
            def gate(gate):
                class Yes:
                    judge = lambda *args: None
                    settings, pins, policy = gate.settings, gate.pins, gate.policy
                return Yes()
            """,
        )
        assert_held(
            repo, repo.apply(), 10, "the fixture `gate` is not the one of pytest-mlgates: rename the one that hides"
        )

    def test_a_run_of_the_users(self, repo: Repo) -> None:
        """The three are built on `mlgates_run`; hiding that hides them all."""
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.fixture(scope="session")
            def mlgates_run(mlgates_run):
                class Turned:
                    golden_set, champion, challenger = (
                        mlgates_run.golden_set, mlgates_run.challenger, mlgates_run.champion
                    )
                return Turned()
            """,
        )
        hidden = "the fixture `mlgates_run` is not the one of pytest-mlgates: rename the one that hides it"
        assert_held(repo, repo.apply(), 10, hidden)

    def test_a_gate_of_the_users_own_is_handed_what_was_pinned_too(self, repo: Repo) -> None:
        turned = "import pytest\n@pytest.fixture(scope='session')\ndef challenger(champion):\n    return champion\n"
        repo.write("conftest.py", turned)
        repo.gates('@pytest.mark.mlgate("mine")\ndef test_mine(gate, challenger):\n    gate.judge(*good())\n', "mine")
        assert_held(repo, repo.apply(), 10)
        assert "the fixture `challenger` is not what this run pinned" in repo.said_of("mine")[1]

    def test_a_fixture_that_a_shipped_gate_is_built_on(self, repo: Repo) -> None:
        """`cluster`, `load` and others are common names; a gate of the user's own may use them as it likes."""
        repo.write(
            "conftest.py",
            """
            import pytest
            @pytest.fixture
            def golden_history():
                return "mine"
            @pytest.fixture(autouse=True)
            def everywhere(load):
                pass
            @pytest.fixture
            def load():
                return "no shipped gate asks for this one here"
            """,
        )
        repo.gates(
            """
            @pytest.mark.mlgate("mine")
            def test_mine(gate, golden_history):
                gate.judge(Evidence("mine", golden_history == "mine", n=1), at_least(1))
            """,
            "golden_validity",
            "mine",
        )
        hidden = "the fixture `golden_history` is not the one of pytest-mlgates: rename the one that hides it"
        assert_held(repo, repo.apply(), 10, f"golden_validity: {hidden}")
        assert repo.verdicts() == {**dict.fromkeys(CORE, "PASS"), "golden_validity": "ERROR", "mine": "PASS"}


INI = """
[pytest]
python_files = check_*.py
python_functions = verify_*
python_classes = Verify
norecursedirs = gates pytest_mlgates * .*
filterwarnings = error
addopts = --strict-markers --strict-config -p no:cacheprovider
xfail_strict = true
"""


@pytest.mark.slow
def test_the_shipped_gates_run_whatever_the_users_ini_says(repo: Repo, spread: list[str]) -> None:
    repo.write("pytest.ini", INI)
    # In a process of its own: in this one the package is imported already, which pytest warns of at its start.
    run = repo.run_apart("--mlgate-apply", *spread)
    assert repo.verdicts() == dict.fromkeys(CORE, "PASS")
    assert (run.ret, repo.champion()) == (0, BETTER)


@pytest.mark.parametrize(
    "args",
    [["-p", "no:terminal"], ["-q"], ["-qq"], ["-v"], ["-rA"], ["--tb=no"], ["-p", "no:cacheprovider"], ["-s"]],
    ids=" ".join,
)
def test_the_decision_does_not_hang_on_how_it_is_shown(repo: Repo, args: list[str]) -> None:
    run = repo.apply(*args)
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert args == ["-p", "no:terminal"] or f"PROMOTE credit v{BETTER}" in run.text


def test_quiet_runs_still_say_why_they_hold(repo: Repo) -> None:
    assert_held(
        repo, repo.apply("-qq", "--mlgate-challenger", "3"), 1, "HOLD credit v3: golden_regression: roc_auc gain"
    )


def test_junit_xml_carries_every_judgement(repo: Repo) -> None:
    repo.run("--junitxml=junit.xml")
    found = ElementTree.parse(repo.path / "junit.xml").iter("testcase")
    records = {
        case.get("name"): [p.get("value") for p in case.iter("property") if p.get("name") == "mlgate"] for case in found
    }
    assert len(records) == 4
    assert '"verdict": "PASS"' in records["test_bootstrap_auc"][1]


class TestWorkers:
    def test_a_worker_killed_in_the_middle_of_a_gate(self, repo: Repo) -> None:
        repo.gates(
            '@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    gate.judge(*good()); os.kill(os.getpid(), 9)\n',
            "mine",
        )
        run = repo.apply(*N2)
        assert_held(repo, run, 10, "(interrupted, or its process died)")

    def test_each_gate_on_each_worker_is_judged_by_the_worse(self, repo: Repo) -> None:
        repo.gates(
            """
            @pytest.mark.mlgate("mine")
            def test_mine(gate):
                bad = os.environ["PYTEST_XDIST_WORKER"] == "gw0"
                gate.judge(Evidence("ece", 2 if bad else 0, n=9), at_most(1))
            """,
            "mine",
        )
        run = repo.apply("--dist=each", "--tx", "2*popen")
        assert_held(repo, run, 1, "mine: ece 2: proven not <= 1")

    def test_all_workers_agree_and_the_challenger_is_promoted_once(self, repo: Repo) -> None:
        run = repo.apply("--dist=each", "--tx", "2*popen")
        assert (run.ret, repo.champion()) == (0, BETTER)
        assert repo.aliases()["former-champion"] == CHAMPION

    @pytest.mark.slow
    def test_a_gate_in_a_group_of_xdist_is_known_again(self, repo: Repo) -> None:
        """Its reports come under another id than it was collected with."""
        marks = '@pytest.mark.xdist_group("gpu")\n@pytest.mark.mlgate("mine")\n'
        repo.gates(f"{marks}def test_mine(gate):\n    gate.judge(*good())\n", "mine")
        run = repo.apply(*N2, "--dist=loadgroup")
        assert (run.ret, repo.champion()) == (0, BETTER), run.text

    def test_times_measured_beside_other_tests_say_nothing(self, repo: Repo) -> None:
        repo.gates(
            '@pytest.mark.mlgate("speed", timing=True)\ndef test_speed(gate):\n    gate.judge(*good())\n', "speed"
        )
        run = repo.apply(*N2)
        assert_held(repo, run, 10, "speed: times measured beside other tests say nothing: run without -n")
        assert repo.said_of("speed")[0] == "INCONCLUSIVE"
        assert repo.apply().ret == 0

    def test_nothing_to_promote(self, repo: Repo) -> None:
        repo.point("champion", BETTER)
        run = repo.run_apart("--mlgate-apply", *N2)
        assert run.ret == 0
        assert "nothing to promote" in run.text

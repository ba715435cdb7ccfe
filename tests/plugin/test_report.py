"""What a run leaves for its readers, and says to the CI it runs in."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from mlrepo import N2, WORSE, Repo

OWN = """
    @pytest.mark.mlgate("calibration")
    def test_calibration(gate):
        gate.judge(Evidence("Brier score", 0.2, n=7), at_most(0.14))
"""


def report(repo: Repo, name: str) -> str:
    return (repo.path / ".mlgates" / "report" / name).read_text()


def keeps_its_schema(repo: Repo) -> None:
    schema = json.loads((Path(__file__).parents[2] / "docs" / "evidence.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(repo.evidence())


@pytest.mark.parametrize("more", [[], N2], ids=["one", "n2"])
def test_a_run_leaves_a_page_a_summary_and_sarif_beside_its_evidence(repo: Repo, more: list[str]) -> None:
    repo.gates(OWN, "calibration")
    ran = repo.run(*more)
    assert ran.ret == 1
    assert "report: REPO/.mlgates/report/report.html" in ran.text
    page = report(repo, "report.html")
    for words in ("HOLD", "calibration", "ROC", "Scores of golden rows", "2,000 draws of the same golden rows"):
        assert words in page
    assert report(repo, "summary.md").startswith("## ✕ HOLD credit v2\n")
    results = json.loads(report(repo, "results.sarif"))["runs"][0]["results"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("checks/test_own.py", 5)
    keeps_its_schema(repo)


def test_evidence_without_a_golden_set_keeps_its_schema_too_and_has_a_page(repo: Repo) -> None:
    (repo.path / "golden.csv.dvc").unlink()
    repo.run()
    keeps_its_schema(repo)
    assert "HOLD credit" in " ".join(report(repo, "summary.md").split())


def test_who_is_held_is_told_where_it_says_what_to_do(repo: Repo) -> None:
    repo.settings(challenger=WORSE)
    run = repo.run()
    assert run.ret == 1
    assert "what to do: mlgates runbook golden_regression, mlgates runbook bootstrap_auc" in run.text
    assert "<code>mlgates runbook golden_regression</code>" in report(repo, "report.html")
    repo.settings(runbooks="https://wiki.example/ml/")
    assert "what to do: https://wiki.example/ml/golden_regression.md, https://wiki" in repo.run().text
    assert 'href="https://wiki.example/ml/golden_regression.md"' in report(repo, "report.html")
    keeps_its_schema(repo)


def test_a_gate_whose_name_is_misspelt_is_guessed_and_holds(repo: Repo) -> None:
    repo.settings(gates=["core", "fairnes"])
    run = repo.run()
    assert run.ret == 10
    why = "fairnes: not collected: no test with this gate's name was found; did you mean 'fairness'?"
    assert f"HOLD credit v2: {why}" in run.text


def test_a_promotion_is_told_as_done(repo: Repo) -> None:
    repo.apply()
    assert "is &#39;champion&#39; now, replacing v1" in report(repo, "report.html")
    assert "WOULD PROMOTE" not in report(repo, "report.html")


def test_github_gets_annotations_and_a_step_summary(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    step = repo.path / "step.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    repo.gates(OWN, "calibration")
    lines = repo.run().lines.splitlines()
    said = [line for line in lines if line.startswith("::")]
    assert said == [
        "::error file=checks/test_own.py,line=5,title=calibration%3A FAIL::Brier score 0.2: proven not <= 0.14"
    ]
    assert step.read_text() == report(repo, "summary.md")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repo.path.parent))
    said = [line for line in repo.run().lines.splitlines() if line.startswith("::")]
    assert said[0].startswith(f"::error file={repo.path.name}/checks/test_own.py,line=5,")


def test_no_gate_can_speak_to_github(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and reasons of a gate are printed, also by pytest itself, and are no workflow commands."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repo.gates(
        r"""
        @pytest.mark.mlgate("own")
        def test_own(gate):
            gate.progress("::error::progress")
            where = "a\n::error::where\x1b[31m ##[error]old"
            gate.judge(Evidence("::error::measure", 2, n=7, where=where), at_most(1))
            gate.judge(Evidence("::error::second", 2, n=7, cannot_say="\n::error::why"), at_most(1))
        """,
        "own",
    )
    ran = repo.run("-v")
    said = [line for line in ran.lines.splitlines() if line.strip().startswith("::")]
    assert len(said) == 1
    assert said[0].startswith("::error file=checks/test_own.py,line=5,title=own%3A FAIL::")
    assert "##[" not in "\n".join(line for line in ran.lines.splitlines() if not line.startswith("::"))
    assert "\x1b[31m ##" not in ran.lines


def test_elsewhere_nothing_is_annotated(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    repo.gates(OWN, "calibration")
    assert "::error" not in repo.run().lines


@pytest.mark.parametrize("more", [[], N2], ids=["one", "n2"])
def test_junit_has_a_property_a_figure(repo: Repo, more: list[str]) -> None:
    repo.gates(OWN, "calibration")
    repo.run(f"--junitxml={repo.path / 'junit.xml'}", *more)
    cases = ElementTree.parse(repo.path / "junit.xml").iter("testcase")
    case = next(case for case in cases if case.get("name") == "test_calibration")
    told = {one.get("name"): one.get("value") for one in case.iter("property") if one.get("name") != "mlgate"}
    assert told == {
        "mlgate.gate": "calibration",
        "mlgate.verdict": "FAIL",
        "mlgate.measured": "Brier score 0.2 (limit <= 0.14, n 7): FAIL",
    }


def test_a_page_that_cannot_be_written_changes_nothing(repo: Repo) -> None:
    (repo.path / ".mlgates" / "report" / "report.html").mkdir(parents=True)
    ran = repo.apply()
    assert ran.ret == 0
    assert "report.html could not be written to REPO/.mlgates/report (Is a directory)" in ran.text
    assert repo.champion() == "2"


def test_a_worse_challenger_is_pictured_too(repo: Repo) -> None:
    repo.run("--mlgate-challenger", WORSE)
    assert "Area under the curve" in report(repo, "report.html")


def test_how_much_is_said_is_asked_as_of_pytest(repo: Repo) -> None:
    repo.gates(OWN, "calibration")
    quiet, plain, verbose = (repo.run(*more).lines for more in (["-q"], [], ["-v"]))
    assert "is_new" not in quiet
    assert "not asked for" not in quiet
    assert "calibration  Brier score 0.2" in quiet
    assert "is_new" in plain
    assert "calibration: FAIL, " not in plain
    assert "calibration: FAIL, " in verbose
    for lines in (quiet, plain, verbose, repo.run("-qq").lines):
        assert "HOLD credit v2: calibration: Brier score 0.2: proven not <= 0.14" in lines


def test_colours_only_on_a_terminal_or_where_they_are_asked_for(repo: Repo) -> None:
    repo.gates(OWN, "calibration")
    assert "\x1b[" not in repo.run().lines
    assert "\x1b[31m" in repo.run("--color=yes").lines

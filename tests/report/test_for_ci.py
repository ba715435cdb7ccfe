"""What a CI is told: the summary, annotations, SARIF; and the published schema of the evidence itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from pytest_mlgates.publish.files import publish
from pytest_mlgates.report.annotations import MOST, workflow_commands
from pytest_mlgates.report.sarif import sarif
from pytest_mlgates.report.summary import summary
from pytest_mlgates.rules import at_least
from tests.report.documents import HOSTILE, document, gain, gate, hostile, many, mixed, promoted, yes

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "pytest_mlgates" / "report" / "evidence.schema.json"


def test_the_summary_of_a_held_run() -> None:
    lines = summary(mixed()).splitlines()
    assert lines[:3] == [
        "## ✕ HOLD credit v2",
        "",
        "core: roc_auc gain -0.0600 \\[-0.0700, -0.0500]: proven not >= -0.005",
    ]
    assert "**What would flip it**" in lines
    assert "| ✕ FAIL | core | roc_auc gain -0.0600 | \\[-0.0700, -0.0500] | >= -0.005 | 5,000 |" in lines
    assert "| ! ERROR | calibration | the gate crashed: ValueError: no | - | - | - |" in lines
    assert "- skew: a known change of supplier" in lines
    assert "Judge the same versions again: `pytest --mlgate --mlgate-champion 1 --mlgate-challenger 2`" in lines


def test_the_summary_says_where_it_is_written_what_to_do() -> None:
    text = summary(mixed())
    assert (
        "**What to do**\n\n- core: `https://wiki.example/runbooks/core.md`\n- slices: `mlgates runbook slices`\n\n"
        in text
    )
    assert "runbook skew" not in text
    assert "What to do" not in summary(promoted())


def test_sarif_links_a_rule_to_its_runbook_where_that_has_an_address() -> None:
    rules = {one["id"]: one for one in json.loads(sarif(mixed()))["runs"][0]["tool"]["driver"]["rules"]}
    assert {name: one["helpUri"] for name, one in rules.items() if "helpUri" in one} == {
        "core": "https://wiki.example/runbooks/core.md"
    }


def test_the_summary_of_a_promotion() -> None:
    text = summary(promoted())
    assert text.startswith("## ✓ PROMOTE credit v2\n\nall 2 required gates passed against v1\n")
    assert "credit v2 is 'champion' now, replacing v1 (ledger entry 2)" in text


def test_in_the_summary_hostile_names_are_text() -> None:
    text = summary(hostile())
    outside_code = (
        re.sub(r"`(pytest|https|javascript)[^`]*`", "", text)
        .replace("<details><summary>", "")
        .replace("</summary>", "")
    )
    outside_code = outside_code.replace("</details>", "")
    assert not re.findall(r"(?<!\\)<", outside_code)
    assert not re.findall(r"(?<!\\)\[", outside_code)
    assert "://" not in outside_code
    assert not re.findall(r"@\w", outside_code)
    assert not set(text) - {"\n", "\u2060"} & {"\x1b", "\x07", "\u202e", "\r", "\t"}
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 7}


def test_a_summary_stays_below_what_github_takes() -> None:
    text = summary(many(300))
    assert "1,100 more lines are in report.html." in text
    assert len(text.encode()) < 1 << 20


def test_an_annotation_has_the_file_and_line_of_a_users_gate() -> None:
    assert list(workflow_commands(mixed())) == [
        "::error title=core%3A FAIL::roc_auc gain -0.0600 [-0.0700, -0.0500]: proven not >= -0.005",
        "::error title=fairness%3A FAIL::disparate impact [sex=b] 0.6 [0.5, 0.7]: proven not >= 0.8",
        "::notice title=skew%3A FAIL::psi [income] 0.47 [0.33, 0.6]: proven not <= 0.2",
        "::error title=slices%3A FAIL::1 of 2 slices harmed",
        "::error file=mlgates/test_calibration.py,line=8,title=calibration%3A ERROR::the gate crashed: ValueError: no",
        "::warning title=latency%3A INCONCLUSIVE::"
        "p99 180 ms [150 ms, 230 ms]: the interval reaches across the limit <= 200",
    ]


def test_no_name_makes_an_annotation_of_its_own() -> None:
    lines = list(workflow_commands(hostile()))
    assert len(lines) == MOST
    for line in lines:
        assert line.isprintable()
        assert re.fullmatch(r"::(error|notice) (file=[^,:]*,line=3,)?title=[^,:]*::.*", line), line


def test_what_passed_is_not_annotated() -> None:
    assert not list(workflow_commands(promoted()))


def test_sarif_has_a_result_for_each_gate_that_did_not_pass() -> None:
    run = json.loads(sarif(mixed()))["runs"][0]
    found = {one["ruleId"]: (one["level"], one["locations"][0]["physicalLocation"]) for one in run["results"]}
    assert {name: level for name, (level, _) in found.items()} == {
        "core": "error",
        "fairness": "error",
        "skew": "error",
        "slices": "error",
        "calibration": "error",
        "latency": "warning",
    }
    assert found["calibration"][1] == {
        "artifactLocation": {"uri": "mlgates/test_calibration.py"},
        "region": {"startLine": 8},
    }
    assert found["core"][1]["artifactLocation"]["uri"] == "pyproject.toml"
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert [one.get("suppressions") for one in run["results"] if one["ruleId"] == "skew"] == [
        [{"kind": "external", "justification": "a known change of supplier"}]
    ]


def test_sarif_holds_hostile_names_as_text() -> None:
    log = json.loads(sarif(hostile()))
    messages = [one["message"]["text"] for one in log["runs"][0]["results"]]
    assert len(messages) == len(HOSTILE) + 1
    assert all(text and text.isprintable() for text in messages)


OASIS = ROOT / "tests/report/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="module")
def oasis() -> jsonschema.Draft4Validator:
    """The schema of SARIF 2.1.0 (OASIS, release rtm.5), as Microsoft's kit for it carries it."""
    if not OASIS.is_file():
        pytest.skip("the schema of SARIF is not installed here: `npm ci` in tests/report, as .ci/run does")
    return jsonschema.Draft4Validator(json.loads(OASIS.read_text()))


@pytest.mark.parametrize("made", [promoted, mixed, hostile])
def test_the_log_keeps_the_schema_of_sarif(made, oasis: jsonschema.Draft4Validator) -> None:
    log = json.loads(sarif(made()))
    oasis.validate(log)
    # What its formats ask for, which the validator leaves out: addresses are addresses (RFC 3986).
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]]
    assert all(re.fullmatch(r"[\w./~%-]+", one["artifactLocation"]["uri"], re.ASCII) for one in places)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda run: run["results"][0].update(level="fatal"),
        lambda run: run["results"][0].pop("message"),
        lambda run: run["results"][0].update(ruleIndex=-2),
        lambda run: run["results"][0].update(verdict="FAIL"),
        lambda run: run["tool"]["driver"].pop("name"),
    ],
)
def test_the_schema_of_sarif_refuses_what_is_none(break_it, oasis: jsonschema.Draft4Validator) -> None:
    log = json.loads(sarif(mixed()))
    break_it(log["runs"][0])
    with pytest.raises(jsonschema.ValidationError):
        oasis.validate(log)


def test_a_file_with_a_blank_in_its_name_is_an_address_all_the_same() -> None:
    own = gate("mine", (gain(-0.1, 0.01), at_least(0.0)), at="my gates/test ä.py:3")
    place = json.loads(sarif(document(own)))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "my%20gates/test%20%C3%A4.py"


@pytest.mark.parametrize("made", [promoted, mixed, hostile])
def test_the_evidence_keeps_its_schema(made) -> None:
    found = made()
    if made is hostile:
        found["golden_set"]["md5"] = "0" * 32
    validator().validate(json.loads(json.dumps(found)))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d["decision"].update(verdict="OK"),
        lambda d: d.pop("gates"),
        lambda d: d["gates"][1]["judgements"][0]["evidence"].update(value="much"),
        lambda d: d["gates"][1]["judgements"][0]["evidence"].pop("interval"),
        lambda d: d.update(schema="https://pytest-mlgates.dev/schema/evidence/2"),
        lambda d: d["golden_set"].update(md5="none"),
    ],
)
def test_the_schema_refuses_what_is_no_evidence(break_it) -> None:
    found = json.loads(json.dumps(mixed()))
    break_it(found)
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(found)


def test_the_published_schema_is_the_shipped_one() -> None:
    assert (ROOT / "docs" / "evidence.schema.json").read_bytes() == SHIPPED.read_bytes()


def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SHIPPED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_what_is_published_lies_beside_the_evidence(tmp_path: Path) -> None:
    step = tmp_path / "step.md"
    step.write_text("before\n")
    lines = publish(mixed(), tmp_path, {"GITHUB_STEP_SUMMARY": str(step)})
    assert lines == [f"report: {tmp_path / 'report.html'}"]
    assert {file.name for file in tmp_path.iterdir()} >= {"report.html", "summary.md", "results.sarif"}
    assert step.read_text() == "before\n" + (tmp_path / "summary.md").read_text()


def test_a_page_that_cannot_be_made_or_written_costs_a_line_and_no_more(tmp_path: Path) -> None:
    broken = document(gate("core", (gain(0.1, 0.01), at_least(0.0))))
    broken["decision"]["verdict"] = "SPLENDID"
    lines = publish(broken, tmp_path, {"GITHUB_STEP_SUMMARY": str(tmp_path / "missing" / "step.md")})
    assert f"report.html could not be written to {tmp_path} (KeyError: 'SPLENDID')" in lines
    (tmp_path / "file").write_text("")
    lines = publish(document(gate("new", yes("new", True))), tmp_path / "file", {})
    assert len(lines) == 3
    assert all("could not be written to" in line for line in lines)


def test_a_step_summary_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    place = tmp_path / "missing" / "step.md"
    lines = publish(promoted(), tmp_path, {"GITHUB_STEP_SUMMARY": str(place)})
    assert lines[-1] == f"the step summary could not be appended to {place} (No such file or directory)"

"""The gate `behaviour` in a run: who is caught, what is printed and kept, and what never passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coded import MANIFEST, build, with_codes

from mlrepo import Repo
from tests.docs.pages import blocks

pytestmark = pytest.mark.slow

QUICK = """
[tool.mlgates.first_promotion]
roc_auc = 0.6
[tool.mlgates.behaviour]
examples = 4
"""
Judge = Callable[..., Any]


@pytest.fixture(scope="session")
def coded_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coded")
    build(folder)
    return folder


@pytest.fixture
def judge(coded_models: Path, repo: Repo) -> Judge:
    """Judge the model of this name for the first promotion, with the gates core and behaviour."""
    versions = with_codes(repo, coded_models)

    def run(name: str, *args: str, more: str = "", manifest: str | None = MANIFEST) -> Any:
        if manifest is not None:
            repo.write("manifest.yaml", manifest)
        repo.settings(QUICK + more, gates=["core", "behaviour"])
        return repo.run("--mlgate-challenger", versions[name], *args)

    return run


def figures(repo: Repo) -> dict[str, tuple[str, Any]]:
    """Property -> (verdict, evidence)."""
    gates = {gate["name"]: gate for gate in repo.evidence()["gates"]}
    rows = gates["behaviour"]["judgements"]
    return {row["evidence"]["measure"].removesuffix(" kept"): (row["verdict"], row["evidence"]) for row in rows}


def test_a_model_that_refuses_what_it_cannot_know_passes(repo: Repo, judge: Judge, spread: list[str]) -> None:
    run = judge("honest", *spread)
    assert run.ret == 0, run.text
    found = figures(repo)
    assert {name: verdict for name, (verdict, _) in found.items()} == dict.fromkeys(
        [
            "answers",
            "same again",
            "alone as in a batch",
            "column order",
            "unknown category",
            "null",
            "wrong type",
            "missing column",
            "extreme value",
        ],
        "PASS",
    )
    kept = found["unknown category"][1]
    assert kept["details"]["columns"] == ["SCHL"]
    assert kept["n"] > 0
    assert kept["details"]["reason"] == f"no counter-example in {kept['n']} rows"
    assert kept["details"]["inputs"] == "the golden set's own ranges (no contract is frozen)"
    assert not (repo.path / ".hypothesis").exists()
    repo.on_page("behaviour", "passing", exact=False)


def test_an_unknown_code_mapped_to_minus_1_is_caught_with_one_row(repo: Repo, judge: Judge) -> None:
    """OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1): the new region priced at a loss."""
    run = judge("maps")
    assert run.ret == 1
    verdict, said = repo.said_of("behaviour")
    assert verdict == "FAIL"
    assert said.startswith("unknown category [SCHL]: SCHL = -1 is answered 0.")
    assert said.endswith(", not refused (and 2 more)")
    found = figures(repo)
    # The encoder takes nulls and text for one more unknown code.
    broken = [name for name, (verdict, _) in found.items() if verdict == "FAIL"]
    assert broken == ["unknown category", "null", "wrong type"]
    repo.on_page("behaviour", "failing", exact=False)
    [example] = found["unknown category"][1]["details"]["counterexamples"]
    assert (len(example["rows"]), example["rows"][0]["SCHL"], example["shrunk"]) == (1, -1, True)
    # Ready to paste: printed with the failure, and it fails until the model is mended.
    assert "def test_unknown_category_schl(challenger):" in run.lines
    assert "'SCHL': -1" in run.lines
    shown = blocks((Path(__file__).parents[2] / "docs" / "behaviour.md").read_text())["counter-example"]
    assert shown == example["test"]
    repo.write("checks/test_pasted.py", example["test"])
    repo.settings(QUICK, gates=["core"], paths=["checks"])
    again = repo.run("--mlgate-challenger", "14")
    assert again.ret == 1
    assert "1 failed" in again.text
    mended = repo.run("--mlgate-challenger", "13")
    assert mended.ret == 0, mended.text


def test_a_counter_example_is_tried_first_next_time(repo: Repo, judge: Judge) -> None:
    judge("maps")
    file = repo.path / ".mlgates" / "counterexamples.json"
    kept, *_ = json.loads(file.read_text())["counterexamples"]
    assert (kept["property"], kept["column"]) == ("unknown category", "SCHL")
    kept["rows"][0]["SCHL"] = 4711
    file.write_text(json.dumps({"counterexamples": [kept]}))
    judge("maps")
    assert "SCHL = 4711 is answered 0." in repo.said_of("behaviour")[1]
    assert "not refused (found before, and still so)" in repo.said_of("behaviour")[1]
    assert judge("honest").ret == 0


def test_declared_with_a_reason_it_may_be_answered(repo: Repo, judge: Judge) -> None:
    told = MANIFEST + "  SCHL: {unknown: allowed, 'null': allowed, wrong_type: allowed, reason: one code for all}\n"
    assert judge("maps", manifest=told).ret == 0


def test_a_declared_safe_value_must_be_the_answer(repo: Repo, judge: Judge) -> None:
    assert judge("maps", manifest=MANIFEST + "safe_value: 0.5\n").ret == 1
    assert ", not refused or 0.5" in repo.said_of("behaviour")[1]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("dies", "breaks it: challenger credit v16: its process was killed by SIGKILL"), ("nan", "is answered nan")],
)
def test_a_model_that_breaks_at_a_hostile_row_fails(repo: Repo, judge: Judge, name: str, sentence: str) -> None:
    assert judge(name).ret == 1
    verdict, said = repo.said_of("behaviour")
    assert verdict == "FAIL"
    assert said.startswith("unknown category [SCHL]: SCHL = ")
    assert sentence in said
    # What came after was asked of a new process.
    assert figures(repo)["missing column"][0] == "PASS"


@pytest.mark.long
def test_a_model_that_hangs_at_a_hostile_row_fails_in_bounded_time(repo: Repo, judge: Judge) -> None:
    assert judge("hangs", more="timeout = 3\n").ret == 1
    said = repo.said_of("behaviour")[1]
    assert "breaks it: challenger credit v17 did not answer within 3 s" in said


def test_declared_directions_and_invariances_are_searched(repo: Repo, judge: Judge) -> None:
    told = MANIFEST + "monotone: {x1: up, x2: down}\ninvariant: [SCHL]\n"
    assert judge("honest", manifest=told).ret == 1
    found = figures(repo)
    assert {name: found[name][0] for name in ("monotone", "invariant")} == {"monotone": "FAIL", "invariant": "FAIL"}
    [example] = found["monotone"][1]["details"]["counterexamples"]
    assert (example["column"], len(example["rows"]), len(example["others"])) == ("x2", 1, 1)
    assert "and down is declared" in example["sentence"]


def test_a_kill_switch_is_searched(repo: Repo, judge: Judge) -> None:
    assert judge("honest", manifest=MANIFEST + "kill_switch:\n  - {when: {x1: {above: 3}}, answer: 0.0}\n").ret == 1
    assert repo.said_of("behaviour")[1].startswith("kill switch [1]: x1 is above 3 is answered ")


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (MANIFEST + "monotone: {x9: up}\n", "monotone in manifest.yaml names 'x9', which the models do not receive"),
        (MANIFEST.replace("1.0", "-1.0"), "wrong in output of REPO/manifest.yaml: the output's low (0) must be below"),
        (MANIFEST.replace("manifest: 1", "manifest: 2"), "REPO/manifest.yaml is a manifest of version 2, and this"),
        (MANIFEST.replace("credit", "other"), "manifest.yaml is the manifest of 'other', and 'credit' is judged"),
    ],
)
def test_a_wrong_manifest_never_passes(repo: Repo, judge: Judge, manifest: str, sentence: str) -> None:
    run = judge("honest", manifest=manifest)
    assert run.ret == 10
    assert repo.verdicts()["behaviour"] == "ERROR"
    assert sentence in run.text


def test_time_that_is_over_before_everything_is_tried_is_inconclusive(repo: Repo, judge: Judge) -> None:
    run = judge("honest", more="seconds = 0.01\n")
    assert run.ret == 10
    verdict, said = repo.said_of("behaviour")
    assert verdict == "INCONCLUSIVE"
    assert "nothing was tried of answers: no such row could be made, or 0.01 s were over" in said


@pytest.mark.long
def test_a_model_that_refuses_golden_rows_is_an_error(repo: Repo, judge: Judge) -> None:
    """What refuses everything keeps every promise to refuse."""
    judge("honest")
    repo.settings(QUICK, gates=["core", "behaviour"])
    repo.run("--mlgate-challenger", "6")
    verdict, said = repo.said_of("behaviour")
    assert verdict == "ERROR"
    assert said == "credit v6 does not answer golden rows: RuntimeError: the feature store is down"

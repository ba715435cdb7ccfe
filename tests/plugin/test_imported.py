"""The gate `imported`: what other tools found, as one more gate that must pass."""

from __future__ import annotations

import pytest

from mlrepo import Repo

ENTRY = """
[[tool.mlgates.imported]]
name = "unit tests"
kind = "junit"
file = "junit.xml"
"""


def suite(inside: str = "") -> str:
    return f'<testsuite tests="1"><testcase classname="tests" name="one">{inside}</testcase></testsuite>'


def test_a_result_that_passed_promotes(repo: Repo, spread: list[str]) -> None:
    repo.settings(ENTRY, gates=["core", "imported"])
    repo.write("junit.xml", suite())
    assert repo.run(*spread).ret == 0
    assert repo.said_of("imported") == ("PASS", "unit tests passed")


@pytest.mark.parametrize(
    ("inside", "ret", "verdict", "sentence"),
    [
        ("<failure message='no'/>", 1, "FAIL", "unit tests passed: no: tests.one: failed: no"),
        ("<skipped message='later'/>", 10, "ERROR", "unit tests passed: no: tests.one: skipped: later"),
        ("<error message='gone'/>", 10, "ERROR", "unit tests passed: no: tests.one: crashed: gone"),
        ("<flakyError/>", 10, "INCONCLUSIVE", "unit tests passed: no: tests.one: warned"),
        ("<", 10, "ERROR", "unit tests passed: junit.xml (junit): it is not XML, or it was cut off"),
    ],
)
def test_a_result_that_is_no_pass_holds(repo: Repo, inside: str, ret: int, verdict: str, sentence: str) -> None:
    repo.settings(ENTRY, gates=["core", "imported"])
    repo.write("junit.xml", suite(inside))
    assert repo.run().ret == ret
    said = repo.said_of("imported")
    assert said[0] == verdict
    assert said[1].startswith(sentence)


def test_an_absent_file_holds_and_the_others_are_judged_all_the_same(repo: Repo) -> None:
    repo.settings(
        ENTRY + ENTRY.replace("unit tests", "more").replace("junit.xml", "absent.xml"), gates=["core", "imported"]
    )
    repo.write("junit.xml", suite())
    assert repo.run().ret == 10
    judged = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "imported")["judgements"]
    assert [one["verdict"] for one in judged] == ["PASS", "ERROR"]
    assert judged[1]["sentence"] == "more passed: absent.xml (junit): it cannot be read: No such file or directory"


def test_asked_for_and_nothing_named(repo: Repo) -> None:
    repo.settings(gates=["core", "imported"])
    assert repo.run().ret == 10
    assert "no result is named: write [[tool.mlgates.imported]] with name, kind and file" in repo.said_of("imported")[1]


def test_a_misspelt_key_is_a_usage_error(repo: Repo) -> None:
    repo.settings(ENTRY.replace("file =", "fil ="), gates=["core", "imported"])
    run = repo.run()
    assert run.ret == 4
    assert "did you mean 'file'?" in run.text

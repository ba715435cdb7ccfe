"""Results of other tools, read: only a plain pass is one. The tools themselves wrote the files in `results/`."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.measure.imported import imported_results
from pytest_mlgates.policy import Imported
from pytest_mlgates.results import KINDS, Unreadable
from pytest_mlgates.settings import Settings

FILES = Path(__file__).with_name("results")
DEEPCHECKS = (FILES / "deepchecks-0.19.1.json").read_bytes()
REPORT = (FILES / "evidently-0.7.23-report.json").read_bytes()
SUITE = (FILES / "evidently-0.7.23-suite.json").read_bytes()
JUNIT = b"""<?xml version="1.0"?><testsuites><testsuite name="s" tests="2" timestamp="2026-11-21T10:00:00+00:00">
<testcase classname="a" name="one"/><testcase classname="a" name="two"/></testsuite></testsuites>"""
MLFLOW = b'{"accuracy_score": 0.93, "example_count": 400}'


def states(kind: str, data: bytes) -> list[str]:
    return [test.state for test in KINDS[kind](data).tests]


def changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


def test_what_the_tools_wrote_is_read() -> None:
    assert states("deepchecks", DEEPCHECKS) == ["failed", "passed", "crashed"]
    assert states("evidently", REPORT) == ["passed", "failed"]
    assert states("evidently", SUITE) == ["passed", "crashed"]
    assert states("junit", JUNIT) == ["passed", "passed"]
    crashed = KINDS["deepchecks"](DEEPCHECKS).tests[2]
    assert (crashed.name, crashed.said) == (
        "Feature Label Correlation - Train Dataset",
        "Dataset does not contain a label column",
    )


def test_a_check_of_deepchecks_without_a_condition_is_no_test() -> None:
    data = changed(DEEPCHECKS, lambda found: found["results"][1].update(conditions_results=[]))
    assert states("deepchecks", data) == ["failed", "crashed"]


def test_nan_behind_a_pass_is_no_pass() -> None:
    nan = changed(DEEPCHECKS, lambda found: found["results"][1]["value"].update(n_samples=float("nan")))
    assert states("deepchecks", nan) == ["failed", "crashed", "crashed"]
    nan = changed(REPORT, lambda found: found["metrics"][0]["value"].update(share=float("nan")))
    assert states("evidently", nan) == ["crashed", "failed"]


@pytest.mark.parametrize(
    ("inside", "state"),
    [
        ('<failure message="no"/>', "failed"),
        ('<error message="no"/>', "crashed"),
        ("<skipped/>", "skipped"),
        ("<flakyFailure/>", "warned"),
        ("<skipped/><error/>", "crashed"),
        ("<system-out>fine</system-out>", "passed"),
    ],
)
def test_what_a_junit_test_says(inside: str, state: str) -> None:
    data = f'<testsuite tests="1"><testcase name="x">{inside}</testcase></testsuite>'.encode()
    assert states("junit", data) == [state]


def test_a_junit_test_that_was_not_run_is_skipped() -> None:
    assert states("junit", b'<testsuite><testcase name="x" status="notrun"/></testsuite>') == ["skipped"]


def test_a_suite_that_broke_before_its_tests_is_crashed() -> None:
    assert states("junit", b'<testsuite name="s"><error message="import"/><testcase name="x"/></testsuite>') == [
        "crashed",
        "passed",
    ]


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("junit", b"<html/>", "its first element is <html>, not <testsuites> or <testsuite>"),
        ("junit", JUNIT.replace(b'tests="2"', b'tests="3"'), "<testsuite> says that it holds 3 tests, and holds 2"),
        ("junit", b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "it defines entities, which no JUnit file needs"),
        ("junit", JUNIT.replace(b"2026-11-21T10", b"yesterday"), "cannot be read"),
        ("mlflow", b"{}", "it holds no metric"),
        ("mlflow", b"[1]", "it holds list, not an object"),
        ("mlflow", b'{"a": true}', "its 'a' is bool, not a number: is it metrics.json?"),
        ("mlflow", DEEPCHECKS, "is str, not a number"),
        ("deepchecks", SUITE, "it has no `name` and list of `results`"),
        ("deepchecks", b'{"name": "s", "results": [{}]}', "one of its results has no `check`"),
        (
            "deepchecks",
            DEEPCHECKS.replace(b'"PASS"', b'"GREEN"'),
            "a condition of 'Mixed Nulls' has an unknown status",
        ),
        ("evidently", DEEPCHECKS, "it has no list of `tests`: give the metrics tests"),
        ("evidently", SUITE.replace(b'"SUCCESS",', b'"GOOD",'), "a test has the unknown status 'GOOD'"),
        (
            "evidently",
            SUITE.replace(b'"total_tests": 2', b'"total_tests": 3'),
            "its summary counts 3 tests, and it holds 2",
        ),
        (
            "evidently",
            changed(REPORT, lambda found: found["tests"].clear()),
            "its metrics were given 2 tests, and it holds 0",
        ),
    ],
)
def test_what_is_no_such_result_is_said(kind: str, data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as problem:
        KINDS[kind](data)
    assert sentence in str(problem.value)


@given(
    st.sampled_from([("junit", JUNIT), ("deepchecks", DEEPCHECKS), ("evidently", REPORT), ("mlflow", MLFLOW)]),
    st.data(),
)
def test_a_file_that_was_cut_off_is_never_read(sample: tuple[str, bytes], data: st.DataObject) -> None:
    kind, whole = sample
    end = len(whole.rstrip()) - 1
    with pytest.raises(Unreadable):
        KINDS[kind](whole[: data.draw(st.integers(0, end))])


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_bytes_that_mean_nothing_are_said_to(kind: str, data: bytes) -> None:
    with pytest.raises(Unreadable):
        KINDS[kind](data)


# As evidence

NOW = datetime.datetime.now(datetime.UTC)


def details(tmp_path: Path, data: bytes | None, age_hours: float = 0.0, **entry: Any) -> dict[str, Any]:
    file = tmp_path / "result"
    if data is not None:
        file.write_bytes(data)
        when = NOW.timestamp() - age_hours * 3600
        os.utime(file, (when, when))
    chosen = Imported(**{"name": "checks", "kind": "junit", "file": "result", "max_age_hours": 1e6, **entry})
    settings = Settings(model="m", golden="g", label="y", task="binary", base=tmp_path, imported=(chosen,))
    (evidence,) = imported_results(settings, NOW)
    found = dict(evidence.details)
    assert (evidence.value is None) == ("reason" in found)
    return found


def test_a_result_is_counted_and_named_by_its_digest(tmp_path: Path) -> None:
    found = details(tmp_path, DEEPCHECKS, kind="deepchecks")
    assert [found[state] for state in ("passed", "failed", "warned", "skipped", "crashed")] == [1, 1, 0, 0, 1]
    assert len(found["sha256"]) == 64
    assert found["not_passed"][0].startswith(
        "Single Value in Column: Does not contain only a single value: failed: Found 1"
    )


@pytest.mark.parametrize(
    ("data", "entry", "sentence"),
    [
        (None, {}, "result (junit): it cannot be read: No such file or directory"),
        (b"  \n", {}, "result (junit): it is empty"),
        (b"<testsuites/>", {}, "result (junit): it has 0 tests; at least 1 must have run"),
        (JUNIT, {"tests": 3}, "it has 2 tests; at least 3 must have run"),
        (JUNIT, {"max_age_hours": 0.001}, "hours ago; at most 0.001 are allowed"),
        (JUNIT.replace(b"2026", b"2999"), {}, ""),
    ],
)
def test_what_proves_nothing(tmp_path: Path, data: bytes | None, entry: dict[str, Any], sentence: str) -> None:
    found = details(tmp_path, data, **entry)
    assert sentence in found.get("reason", "")
    assert ("reason" in found) == bool(sentence)


def test_a_copied_file_is_as_old_as_it_says_itself(tmp_path: Path) -> None:
    """And one whose time inside was rewritten is as old as the file."""
    old = JUNIT.replace(b"2026-11-21", b"2020-01-01")
    assert "hours ago; at most 24 are allowed" in details(tmp_path, old, max_age_hours=24)["reason"]
    young = JUNIT.replace(b"2026-11-21T10:00:00+00:00", NOW.isoformat().encode())
    assert "it was made 30 hours ago" in details(tmp_path, young, age_hours=30, max_age_hours=24)["reason"]
    assert "reason" not in details(tmp_path, young, age_hours=1, max_age_hours=24)


def test_a_file_of_tomorrow_would_stay_fresh_for_ever(tmp_path: Path) -> None:
    """A time without a zone may be any place's, which is half a day."""
    tomorrow = JUNIT.replace(b"2026", b"2999")
    assert "it was made in the future (" in details(tmp_path, tomorrow, age_hours=-20)["reason"]
    assert "reason" not in details(tmp_path, tomorrow, age_hours=-10)


@pytest.mark.parametrize(
    ("limits", "state", "said"),
    [
        ({"at_least": {"accuracy_score": 0.9}}, "passed", ""),
        ({"at_least": {"accuracy_score": 0.95}}, "failed", "accuracy_score >= 0.95: failed: it is 0.93"),
        ({"at_most": {"log_loss": 0.5}}, "crashed", "there is no such metric; there are accuracy_score, example_count"),
    ],
)
def test_figures_of_mlflow_are_judged_by_the_settings(
    tmp_path: Path, limits: dict[str, Any], state: str, said: str
) -> None:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "metrics.json").write_bytes(MLFLOW)
    found = details(tmp_path, None, kind="mlflow", file="evaluation", **limits)
    assert found[state] == 1
    assert said in "".join(found["not_passed"])


def test_a_figure_that_is_nan_is_crashed(tmp_path: Path) -> None:
    found = details(tmp_path, b'{"accuracy_score": NaN}', kind="mlflow", at_least={"accuracy_score": 0.1})
    assert (found["crashed"], found["not_passed"]) == (1, ["accuracy_score >= 0.1: crashed: it is nan"])


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"kind": "mlflow"}, 'kind = "mlflow" needs at_least or at_most'),
        ({"at_least": {"a": 1.0}}, 'at_least and at_most are for kind = "mlflow"; junit says itself what passed'),
        ({"max_age_hours": 0}, "greater than 0"),
        ({"tests": 0}, "greater than or equal to 1"),
    ],
)
def test_wrong_entries_are_refused(entry: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Imported(**{"name": "x", "kind": "junit", "file": "f", **entry})

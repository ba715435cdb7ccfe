"""The manifest as a document: what is read, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.manifest import Clause, load, parsed

LEAST = {"mlgates_manifest": 1, "output": {"low": 0, "high": 1}}


def test_a_manifest_reads_from_yaml_and_json(tmp_path: Path) -> None:
    text = (
        "mlgates_manifest: 1\noutput: {low: 0, high: 1}\nkill_switch:\n  - when: {age: {above: 120}}\n    answer: 0\n"
    )
    (tmp_path / "m.yaml").write_text(text)
    found = load(tmp_path / "m.yaml")
    assert found is not None
    assert found.kill_switch[0].matches({"age": 121})
    assert not found.kill_switch[0].matches({"age": 120})
    assert found.rule("age").unknown == "refused"
    (tmp_path / "m.json").write_text('{"mlgates_manifest": 1, "output": {"low": 0, "high": 1}}')
    assert load(tmp_path / "m.json") == parsed(LEAST, "m")
    assert load(tmp_path / "none.yaml") is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"output": {"low": 1, "high": 0}}, "wrong in output of m: the output's low (1) must be below its high (0)"),
        ({"safe_value": 2.0}, "wrong in m: safe_value answers 2, outside the output's own range 0 to 1"),
        (
            {"kill_switch": [{"when": {"a": {"above": 1}}, "answer": -1}]},
            "wrong in m: kill_switch 1 answers -1, outside the output's own range 0 to 1",
        ),
        (
            {"monotone": {"a": "up"}, "invariant": ["a"]},
            "wrong in m: 'a' cannot be monotone and invariant at once",
        ),
        (
            {"explanation": {"top": ["a"]}, "invariant": ["a"]},
            "wrong in m: 'a' cannot matter most and be one that nothing may hang on (invariant)",
        ),
        (
            {"explanation": {"top": ["a"]}, "shares": {"a": 0}},
            "wrong in m: 'a' cannot matter most and have a share of 0",
        ),
        ({"explanation": {"top": ["a", "a"]}}, "wrong in m: explanation.top names 'a' twice"),
        (
            {"columns": {"a": {"unknown": "allowed"}}},
            'wrong in column \'a\' of m: unknown = "allowed" needs a reason = "..."',
        ),
        ({"columns": {"a": {"unkown": "allowed"}}}, "unknown key 'unkown' in column 'a' of m: did you mean 'unknown'?"),
        ({"monotone": {"a": "sideways"}}, "monotone.a in m must be one of 'up' or 'down', not 'sideways'"),
        (
            {"mlgates_manifest": 2},
            "m is a manifest of version 2, and this pytest-mlgates reads versions up to 1: update it here",
        ),
        (
            {"mlgates_manifest": "1"},
            "m says it is a manifest of version '1', which never was: `mlgates manifest` drafts one",
        ),
        ({"outputs": {}}, "unknown key 'outputs' in m: did you mean 'output'?"),
    ],
)
def test_a_wrong_manifest_is_one_sentence(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as trouble:
        parsed(LEAST | more, "m")
    assert str(trouble.value) == sentence


@pytest.mark.parametrize("clause", [{}, {"below": 1, "above": 2}, {"is": []}])
def test_a_condition_says_one_thing(clause: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="a condition says one of below, above, is and missing"):
        parsed(LEAST | {"kill_switch": [{"when": {"a": clause}}]}, "m")


def test_what_is_no_manifest(tmp_path: Path) -> None:
    for data in (None, [], {"output": {}}):
        with pytest.raises(UsageError, match="m is no manifest, for it lacks mlgates_manifest: 1"):
            parsed(data, "m")
    (tmp_path / "m.yaml").write_text("a: [")
    with pytest.raises(UsageError, match=r"m\.yaml is not YAML \("):
        load(tmp_path / "m.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CouldNotEvaluate, match=r"the manifest .*b\.yaml cannot be read: it is no text"):
        load(tmp_path / "b.yaml")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"monotone": {"agee": "up"}}, "monotone"),
        ({"invariant": ["agee"]}, "invariant"),
        ({"shares": {"agee": 0.1}}, "shares"),
        ({"explanation": {"top": ["agee"]}}, "explanation.top"),
        ({"kill_switch": [{"when": {"agee": {"missing": True}}}]}, "kill_switch"),
        ({"columns": {"agee": {}}}, "columns"),
    ],
)
def test_a_column_that_does_not_exist_is_named_with_the_nearest(more: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as trouble:
        parsed(LEAST | more, "m").check_columns(["age", "region"], "m")
    assert str(trouble.value) == f"{where} in m names 'agee', which the models do not receive: did you mean 'age'?"


@pytest.mark.parametrize(
    ("clause", "met", "unmet"),
    [
        (Clause(below=1), [0.5, -3], [1, 2, None, "0", True]),
        (Clause(above=1), [1.5, 7], [1, 0, None, "9"]),
        (Clause(one_of=("x", 3)), ["x", 3], ["y", 4, None]),
        (Clause(missing=True), [None, float("nan")], [0, ""]),
    ],
)
def test_when_a_condition_holds(clause: Clause, met: list[Any], unmet: list[Any]) -> None:
    assert all(clause.matches(cell) for cell in met)
    assert not any(clause.matches(cell) for cell in unmet)

"""`mlgates diff` and `mlgates report`: two runs side by side, and a page made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.report import evidence_file
from pytest_mlgates.report.compare import compared
from pytest_mlgates.report.page import page
from pytest_mlgates.rules import at_least
from tests.commands.shell import here as mlgates
from tests.report.documents import document, gain, gate, hostile, mixed, model, promoted, yes


def kept(document: dict[str, Any], folder: Path) -> str:
    evidence_file.write(document, folder)
    return str(folder)


def test_two_runs_side_by_side(tmp_path: Path, capsys: Any) -> None:
    before = document(gate("core", (gain(0.03, 0.01), at_least(-0.005))), gate("new", yes("new", True)))
    after = document(
        gate("core", (gain(-0.06, 0.01), at_least(-0.005))),
        gate("slices", yes("unharmed", True)),
        waived={"core": "known"},
        head={
            "challenger": model("3", reference="challenger"),
            "environment": {"python": "3.12.1", "pytest-mlgates": "0.1.0"},
            "settings": {"model": "credit", "task": "binary", "label": "y", "golden_regression": {"alpha": 0.01}},
        },
    )
    one, two = kept(before, tmp_path / "one"), kept(after, tmp_path / "two")
    assert mlgates(capsys, "diff", one, f"{two}/evidence.json") == (
        1,
        """\
judged
  challenger
    - credit v2 (222222222222)
    + credit v3 (333333333333)
verdicts
  core
    - PASS
    + FAIL (waived)
  new
    - PASS
    + -
  slices
    - -
    + PASS
measures
  core: roc_auc gain
    - +0.0300 [+0.0200, +0.0400] PASS (limit >= -0.005, n 5,000)
    + -0.0600 [-0.0700, -0.0500] FAIL (limit >= -0.005, n 5,000)
  new: new
    - yes PASS (limit as written, n 5,000)
    + -
  slices: unharmed
    - -
    + yes PASS (limit as written, n 5,000)
settings
  gates
    - ['core']
    + -
  required new
    - yes
    + -
  golden_regression.alpha
    - -
    + 0.01
  required slices
    - -
    + yes
environment
  python
    - 3.11.7
    + 3.12.1
""",
        "",
    )


def test_the_same_run_twice_differs_in_nothing(tmp_path: Path, capsys: Any) -> None:
    later = mixed() | {"measured_times": {"finished_at": 1.0, "gates_s": {}}, "ran": {"by": "someone else"}}
    one, two = kept(mixed(), tmp_path / "one"), kept(later, tmp_path / "two")
    assert mlgates(capsys, "diff", one, two) == (0, "nothing differs\n", "")
    assert mlgates(capsys, "diff", "--json", one, two) == (0, "[]\n", "")


def test_as_json(tmp_path: Path, capsys: Any) -> None:
    one, two = kept(promoted(), tmp_path / "one"), kept(mixed(), tmp_path / "two")
    code, out, _ = mlgates(capsys, "diff", "--json", one, two)
    assert code == 1
    assert {
        "section": "decision",
        "what": "action",
        "before": "PROMOTE",
        "after": "HOLD",
    } in json.loads(out)


def test_figures_of_one_title_are_told_apart() -> None:
    twice = document(gate("core", (gain(0.03, 0.01), at_least(0.0)), (gain(0.05, 0.01), at_least(0.0))))
    once = document(gate("core", (gain(0.03, 0.01), at_least(0.0))))
    assert [(c.section, c.what, c.before) for c in compared(once, twice)] == [
        ("measures", "core: roc_auc gain (2)", "-")
    ]


def test_a_difference_in_hostile_names_is_printed_as_text(tmp_path: Path, capsys: Any) -> None:
    one, two = kept(promoted(), tmp_path / "one"), kept(hostile(), tmp_path / "two")
    _, out, _ = mlgates(capsys, "diff", one, two)
    assert all(line.isprintable() for line in out.split("\n"))
    assert not [line for line in out.split("\n") if line.lstrip().startswith("::")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("{", "is no evidence"),
        ("[]", "is no evidence"),
        (
            '{"schema": "https://pytest-mlgates.dev/schema/evidence/9"}',
            "is of schema https://pytest-mlgates.dev/schema",
        ),
    ],
)
@pytest.mark.parametrize("command", ["diff", "report"])
def test_what_is_no_evidence_is_refused_in_a_sentence(
    text: str | None, why: str, command: str, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "evidence.json"
    if text is not None:
        file.write_text(text)
    code, out, err = mlgates(capsys, command, *[str(file)] * (2 if command == "diff" else 1))
    assert (code, out) == (2, "")
    assert f"{file} {why}" in err


def test_half_an_evidence_cannot_be_compared(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "evidence.json").write_text(json.dumps({"schema": evidence_file.SCHEMA}))
    code, _, err = mlgates(capsys, "diff", str(tmp_path), str(tmp_path))
    assert code == 2
    assert "cannot be compared, one is incomplete: KeyError('decision')" in err


def test_the_page_is_made_again(tmp_path: Path, capsys: Any) -> None:
    place = kept(mixed(), tmp_path / "run")
    out = tmp_path / "again"
    assert mlgates(capsys, "report", place, "--out", str(out)) == (0, f"report: {out}/report.html\n", "")
    assert (out / "report.html").read_text() == page(json.loads((tmp_path / "run" / "evidence.json").read_text()))
    (out / "report.html").unlink()
    (out / "report.html").mkdir()
    assert mlgates(capsys, "report", place, "--out", str(out))[0] == 2

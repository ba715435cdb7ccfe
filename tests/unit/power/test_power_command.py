"""`mlgates power`: exact output, exit codes, and the plot file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates import cli

Said = tuple[int, str, str]


@pytest.fixture
def power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`mlgates power ...` in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "COMMANDS", ("power",))

    def run(*arguments: str) -> Said:
        code = cli.main(["power", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def golden(tmp_path: Path) -> str:
    """Settings and a pinned golden set of 1,000 rows, a fifth positive; its md5."""
    (tmp_path / "mlgates.toml").write_text('model = "m"\ngolden = "golden.csv"\nlabel = "y"\ntask = "binary"\n')
    pd.DataFrame({"x": np.arange(1000), "y": np.arange(1000) % 5 == 0}).astype(int).to_csv("golden.csv", index=False)
    md5 = hashlib.md5(Path("golden.csv").read_bytes()).hexdigest()
    Path("golden.csv.dvc").write_text(f"outs:\n- md5: {md5}\n  path: golden.csv\n")
    return md5


@pytest.mark.usefixtures("power", "golden")
def test_an_enforced_budget_lowers_the_level_and_doubles_the_rows(power: Callable[..., Said]) -> None:
    """2.15 times the rows at .05 / 20; every printed figure then uses it."""
    _, free, _ = power()
    with Path("mlgates.toml").open("a") as file:
        file.write('budget = "enforce"\n')
    _, enforced, _ = power()
    assert enforced.splitlines()[0].endswith("80 % power, alpha 0.0025")
    rows = [
        int(next(line for line in said.splitlines() if "rows for 0.005 " in line).split()[4].replace(",", ""))
        for said in (free, enforced)
    ]
    assert 2.0 < rows[1] / rows[0] < 2.3


def test_rows_from_the_command_line(power: Callable[..., Said]) -> None:
    code, out, err = power("--rows", "3000", "--balance", "0.1")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
3,000 rows, 10 % positive, ROC AUC 0.8; 80 % power, alpha 0.05

the smallest ROC AUC margin that can be proven:
 score correlation       0.5       0.9      0.95      0.98      0.99
          500 rows    0.0841    0.0392    0.0279    0.0177    0.0125
        1,000 rows    0.0595    0.0277    0.0197    0.0125    0.0089
        2,000 rows    0.0421    0.0196    0.0139    0.0089    0.0063
        3,000 rows    0.0343    0.0160    0.0114    0.0072    0.0051  <
        5,000 rows    0.0266    0.0124    0.0088    0.0056    0.0040
       10,000 rows    0.0188    0.0088    0.0062    0.0040    0.0028
       20,000 rows    0.0133    0.0062    0.0044    0.0028    0.0020
       50,000 rows    0.0084    0.0039    0.0028    0.0018    0.0013
    rows for 0.005   150,000    31,000    16,000     6,300     3,200

at score correlation 0.9 (assumed) these rows resolve 0.016: they cannot prove 0.005
  1. balance the golden set: at 50/50 12,000 rows do what 31,000 do at 10 % positive (2.8 times fewer); \
keep a weight column or set prevalence
  2. add rows: 31,000 in all
  3. widen the margin: these rows resolve 0.016
"""
    )


def test_a_margin_that_can_be_proven_needs_no_advice(power: Callable[..., Said]) -> None:
    code, out, _ = power("--rows", "5000", "--margin", "0.01", "--correlation", "0.97", "--auc", "0.9")
    assert code == 0
    assert out.splitlines()[0] == "5,000 rows, 50 % positive, ROC AUC 0.9; 80 % power, alpha 0.05"
    assert "      0.97" in out.splitlines()[3]
    assert out.splitlines()[-1] == "at score correlation 0.97 these rows resolve 0.003: they can prove 0.01"


@pytest.mark.usefixtures("power", "golden")
def test_rows_and_balance_come_from_the_golden_set(power: Callable[..., Said]) -> None:
    for arguments in ((), ("--golden",)):
        code, out, _ = power(*arguments)
        assert code == 0
        assert out.startswith("1,000 rows in golden.csv, 20 % positive, ROC AUC 0.8; 80 % power, alpha 0.05\n")
        assert "at score correlation 0.9 (assumed) these rows resolve 0.021: they cannot prove 0.005" in out


def _report(md5: str, **details: object) -> None:
    Path(".mlgates/report").mkdir(parents=True, exist_ok=True)
    figures = {"champion": 0.7, "challenger": 0.72, "standard_error": 0.00495} | details
    evidence = {"measure": "roc_auc gain", "details": figures}
    gate = {"name": "golden_regression", "judgements": [{"evidence": evidence}]}
    Path(".mlgates/report/evidence.json").write_text(json.dumps({"golden_set": {"md5": md5}, "gates": [gate]}))


def test_what_a_run_measured_on_the_same_rows_is_used(power: Callable[..., Said], golden: str) -> None:
    _report(golden)
    _, out, _ = power()
    assert "20 % positive, ROC AUC 0.71;" in out
    assert "(measured in the last run on this golden set) these rows resolve 0.012: they cannot" in out
    _report("another")
    assert "(assumed)" in power()[1]
    _report(golden, champion=None)
    assert "(assumed)" in power()[1]
    Path(".mlgates/report/evidence.json").write_text("{")
    assert "(assumed)" in power()[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rows", "5"], "--rows is 5: give a number from 20 to 1e+09"),
        (["--margin", "0"], "--margin is 0: give a number from 1e-06 to 0.5"),
        (["--margin", "nan"], "--margin is nan: give a number from 1e-06 to 0.5"),
        (["--correlation", "1"], "--correlation is 1: give a number from 0 to 0.9999"),
        (["--golden"], "--golden needs settings, and there are none here: run `mlgates init`, or give --rows"),
        (
            ["--golden", "--rows", "100"],
            "--golden takes rows and balance from the golden set: leave out --rows and --balance",
        ),
        (["--plot", "power.pdf"], "--plot writes .svg or .png, not 'power.pdf'"),
    ],
)
def test_a_wrong_option_is_one_sentence(power: Callable[..., Said], arguments: list[str], sentence: str) -> None:
    assert power(*arguments) == (2, "", f"mlgates power: {sentence}\n")


def test_a_golden_set_that_is_not_the_pinned_one_is_refused(power: Callable[..., Said], golden: str) -> None:
    with Path("golden.csv").open("a") as file:
        file.write("1,1\n")
    code, out, err = power()
    assert (code, out) == (2, "")
    assert "is not the file its pointer pins" in err


def test_other_tasks_are_not_foretold(power: Callable[..., Said], golden: str) -> None:
    Path("mlgates.toml").write_text(Path("mlgates.toml").read_text().replace("binary", "regression"))
    code, _, err = power()
    assert code == 2
    assert (
        err == "mlgates power: power is foreseen for binary tasks only, and task is 'regression': give --rows to try\n"
    )


def test_the_plot_shows_every_line_and_is_the_same_every_time(power: Callable[..., Said]) -> None:
    pytest.importorskip("matplotlib")
    code, out, _ = power("--rows", "2000", "--plot", "power.svg")
    assert code == 0
    assert out.endswith("\nplot: power.svg\n")
    drawn = Path("power.svg").read_text()
    for words in ("score correlation 0.98", "2,000 rows", "margin 0.005", "rows of the golden set"):
        assert words in drawn
    power("--rows", "2000", "--plot", "again.svg")
    assert Path("again.svg").read_text() == drawn
    power("--rows", "2000", "--plot", "power.png")
    assert Path("power.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_not_there_is_said_before_anything_is_computed(power: Callable[..., Said]) -> None:
    code, out, err = power("--plot", "nowhere/power.svg")
    assert (code, out) == (2, "")
    assert err.startswith("mlgates power: --plot: the folder ") and err.endswith("nowhere does not exist\n")

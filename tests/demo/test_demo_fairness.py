"""Whom the demo's challenger treats alike: SEX passes; of the race codes one is proven below, the small ones hold."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.demo import DemoError, compare_race, what_happened


@pytest.fixture(scope="module")
def copy(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo with race codes compared. Its registry names the models of the first demo, which are only read."""
    root = tmp_path_factory.mktemp("race") / "demo"
    shutil.copytree(demo, root)
    compare_race(root)
    return root


def judged(root: Path, **environment: str) -> tuple[int, str, list[dict[str, Any]]]:
    """(exit code, output, what `fairness` judged) of `pytest --mlgate`."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--mlgate"],
        cwd=root,
        env={**os.environ, "COLUMNS": "300", **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    document = json.loads((root / ".mlgates" / "report" / "evidence.json").read_text())
    return done.returncode, done.stdout, next(g for g in document["gates"] if g["name"] == "fairness")["judgements"]


@pytest.mark.long
def test_race_is_held_and_every_code_is_named(copy: Path) -> None:
    code, output, judgements = judged(copy)
    assert code == 1, output
    impact = [one for one in judgements if one["evidence"]["measure"] == "disparate impact"]
    assert [(one["verdict"], one["evidence"]["where"].split(" (")[0]) for one in impact] == [
        ("PASS", "2 groups proven, nearest RAC1P=2"),
        ("FAIL", "RAC1P=9"),
        ("INCONCLUSIVE", "RAC1P: 3, 5, 7, 8"),
    ]
    table = {row["group"]: row["rows"] for row in impact[0]["evidence"]["details"]["by_group"]}
    assert table == {"1": 4132, "2": 259, "3": 5, "5": 6, "6": 321, "7": 1, "8": 151, "9": 125}
    untold = impact[2]["evidence"]["cannot_say"]
    for named in ("3 (5 rows, ", "5 (6 rows, ", "7 (1 row, ", "8 (151 rows, "):
        assert named in untold
    assert untold.count(" needed)") == 4
    assert "HOLD employment v2: fairness: disparate impact [RAC1P=9 (champion 0." in output.replace("WOULD ", "")
    assert "rows of RAC1P=3 (now 5)" in output


def test_a_narrow_screen_still_names_every_code(copy: Path) -> None:
    _, output, _ = judged(copy, COLUMNS="80")
    assert "    disparate impact [RAC1P: 3, 5, 7, 8]  limit >= 0.8  n 163" in output.splitlines()


def test_sex_passes(copy: Path) -> None:
    code, output, judgements = judged(copy, MLGATES_SENSITIVE='["SEX"]')
    assert code == 0, output
    assert {one["verdict"] for one in judgements} == {"PASS"}
    first = judgements[0]["evidence"]
    assert first["where"].startswith("SEX=1 (champion 0.")
    assert first["interval"]["low"] > 0.9


def test_the_settings_are_committed_and_what_to_try_is_a_quoted_cd(copy: Path) -> None:
    status = subprocess.check_output(["git", "status", "--porcelain", "--untracked-files=no"], cwd=copy, text=True)
    assert status == ""
    assert f"cd {copy}" in what_happened(copy)


def test_settings_that_the_demo_did_not_write_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mlgates]\n")
    with pytest.raises(DemoError, match="is not the settings file that the demo writes"):
        compare_race(tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == "[tool.mlgates]\n"

"""Whatever the README shows was run."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from pytest_mlgates.settings import Settings

from .conftest import README, block

Run = Callable[..., subprocess.CompletedProcess[str]]


def shown(stdout: str, demo: Path) -> str:
    """The part of the output the README shows: the table and the decision."""
    said = stdout.replace(f"{demo}/", "")
    table = said[said.index("== release gates") :].split("\n", 1)[1]
    return re.split(r"^=+ \d+ passed", table, flags=re.M)[0].strip("\n") + "\n"


def test_a_gate_of_your_own_in_ten_lines(demo: Path, mlgate: Run) -> None:
    code = block("gate")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    settings = demo / "pyproject.toml"
    before = settings.read_text()
    (demo / "mlgates").mkdir()
    (demo / "mlgates" / "test_calibration.py").write_text(code)
    settings.write_text(re.sub(r"^gates = .*\n", block("gate settings"), before, flags=re.M))
    try:
        done = mlgate()
    finally:
        settings.write_text(before)
        (demo / "mlgates" / "test_calibration.py").unlink()
    assert done.returncode == 0, done.stdout
    assert "calibration        Brier score 0.1" in done.stdout


def test_the_decision_shown_is_the_one_the_demo_ends_with(demo: Path, mlgate: Run) -> None:
    done = mlgate("--mlgate-apply")
    assert done.returncode == 0, done.stdout
    output = shown(done.stdout, demo)
    text = README.read_text()
    if os.environ.get("MLGATES_TEST_WRITE_DOCS"):
        text = text.replace(f"```\n{block('output')}```", f"```\n{output}```")
        README.write_text(text)
    assert block("output") == output

    again = mlgate()
    assert again.returncode == 0
    assert "nothing to promote: 'challenger' is employment v2, which is champion already" in again.stdout


def test_the_test_command_is_the_one_ci_runs() -> None:
    """`.ci/run` takes its command out of the README, so here only that there is one, on one line."""
    assert len(block("test").splitlines()) == 1
    assert "pytest" in block("test")


def test_every_setting_is_documented() -> None:
    text = (README.parent / "docs" / "settings.md").read_text()
    for name in set(Settings.model_fields) - {"base", "origins"}:
        assert f"`{name}`" in text, f"docs/settings.md does not mention {name}"


def test_links_lead_somewhere() -> None:
    for page in [README, *README.parent.glob("docs/*.md"), README.parent / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"

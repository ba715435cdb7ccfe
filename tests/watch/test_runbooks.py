"""Every gate that can say no has a page that says what to do then."""

from __future__ import annotations

import re

import pytest

from pytest_mlgates import shipped
from pytest_mlgates.incident import runbook
from tests.commands.shell import here

HEADINGS = ["Symptom", "Diagnosis", "Fix", "Rollback"]


@pytest.mark.parametrize("gate", sorted(shipped.gate_files()))
def test_every_shipped_gate_has_a_runbook_with_its_four_parts(gate: str) -> None:
    file = runbook.folder() / f"{gate}.md"
    assert file.is_file(), f"write docs/runbooks/{gate}.md"
    text = file.read_text()
    assert text.startswith(f"# {gate}\n")
    parts = re.split(r"^## (.+)\n", text, flags=re.M)
    assert parts[1::2] == HEADINGS
    assert all(part.strip() for part in parts[2::2])
    assert len(text) < 2500, "a page that is read at night is short"


@pytest.mark.parametrize("name", runbook.names())
def test_a_runbook_names_only_commands_options_and_gates_that_exist(name: str) -> None:
    from pytest_mlgates.cli import COMMANDS

    text = (runbook.folder() / f"{name}.md").read_text()
    assert set(re.findall(r"`mlgates ([a-z]+)", text)) <= set(COMMANDS)
    assert set(re.findall(r"--mlgate[a-z-]*", text)) <= {
        "--mlgate",
        *(f"--mlgate-{option}" for option in ("apply", "record", "phase", "model", "champion", "challenger", "report")),
    }
    for other in re.findall(r"gate `(\w+)`", text):
        assert other in shipped.gate_files()


def test_a_runbook_is_linked_by_its_url_or_shown_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert runbook.link("slices") == "`mlgates runbook slices`"
    assert runbook.link("slices", "https://wiki.example/runbooks/") == "https://wiki.example/runbooks/slices.md"
    assert runbook.link("calibration") == ""
    code, out, _ = here(capsys, "runbook", "slices")
    assert (code, out) == (0, (runbook.folder() / "slices.md").read_text())
    code, _, err = here(capsys, "runbook", "slice")
    assert (code, err) == (2, "mlgates runbook: no runbook 'slice'; did you mean 'slices'?\n")

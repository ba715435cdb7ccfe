"""What a gate says, as its page in docs/gates shows it: the output of runs, never written by hand.

A test that has just run a gate calls ``repo.on_page(gate, "passing")`` or ``"failing"``. With
``MLGATES_TEST_WRITE_DOCS=1`` that writes the page's output afresh.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pytest_mlgates.decision import GateOutcome
from pytest_mlgates.report.terminal import table
from pytest_mlgates.report.view import judgements
from pytest_mlgates.verdict import Verdict
from tests.docs.pages import blocks

PAGES = Path(__file__).parents[2] / "docs" / "gates"
PARTS = {"passing": "It passes:", "failing": "It does not:"}
#: As the runs of tests have the terminal: a page is read on a screen as well.
WIDTH = 120


def says(gate: dict[str, Any], folder: Path) -> str:
    """The lines of the table about one gate of an evidence document, and why it does not pass."""
    outcome = GateOutcome(
        name=gate["name"],
        verdict=Verdict[gate["verdict"]],
        judgements=tuple(judgements(gate)),
        trouble=gate["trouble"],
        stage=gate["stage"],
        place="",
        seconds=0.0,
    )
    lines = [line.rstrip() for line, _ in table([outcome], {}, WIDTH)]
    lines += ["", gate["sentence"]] if outcome.verdict is not Verdict.PASS else []
    return "\n".join(lines).replace(f"{folder}/", "") + "\n"


def outline(text: str) -> str:
    """`text` with a # for every figure and digest and one blank for many: what times and machines leave alike."""
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b", "#", text)
    text = re.sub(r"[-+]?\d[\d,]*(?:\.\d+)*(?:e[-+]\d+)?", "#", text)
    return re.sub(r" +", " ", text)


def held(gate: dict[str, Any], part: str, folder: Path, *, exact: bool) -> None:
    """The page of `gate` shows as `part` what it says, or with `exact` false the same but for figures."""
    assert (gate["verdict"] == Verdict.PASS.name) == (part == "passing"), gate["sentence"]
    text, file = says(gate, folder), PAGES / f"{gate['name']}.md"
    shown = blocks(file.read_text())
    if os.environ.get("MLGATES_TEST_WRITE_DOCS"):
        shown[part] = text
        head = re.split(r"^## What it says\n", file.read_text(), flags=re.M)[0].rstrip()
        told = [f"{PARTS[one]}\n\n<!-- {one} -->\n```text\n{shown[one]}```\n" for one in PARTS if one in shown]
        file.write_text(f"{head}\n\n## What it says\n\n" + "\n".join(told))
    assert part in shown, f"{file} shows no {part} output: run this test with MLGATES_TEST_WRITE_DOCS=1"
    if exact:
        assert shown[part] == text
    else:
        assert outline(shown[part]) == outline(text)

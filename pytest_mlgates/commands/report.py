"""`mlgates report`: the page, the summary and SARIF made again from an evidence file."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mlgates.commands.evidence_files import loaded
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.publish.files import publish
from pytest_mlgates.report import page

HELP = "report.html, summary.md and results.sarif from an evidence file"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("evidence", type=Path, help="evidence.json, or the folder it is in")
    parser.add_argument("--out", type=Path, help="the folder to write into (default: where the evidence is)")


def run(given: argparse.Namespace) -> int:
    document = loaded(given.evidence)
    folder = given.out or (given.evidence if given.evidence.is_dir() else given.evidence.parent)
    lines = publish(document, folder, {})
    for line in lines:
        print(line)
    if lines != [f"report: {folder / page.FILE}"]:
        raise CouldNotEvaluate("not everything could be written")
    return 0

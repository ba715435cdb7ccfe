"""The evidence for readers: page, summary and SARIF written beside it, and said to the CI that runs this.

Whatever goes wrong here is said in a sentence and changes no verdict: the evidence itself is written already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.report import page, sarif, summary

_WRITTEN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    page.FILE: page.page,
    summary.FILE: summary.summary,
    sarif.FILE: sarif.sarif,
}
#: The variable that names the file of a GitHub step's summary.
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def publish(document: Mapping[str, Any], folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Write the files into `folder`; the lines to print: where the page is, and what could not be written."""
    lines, made = [], {}
    for name, make in _WRITTEN.items():
        try:
            made[name] = make(document)
            write_atomically(folder / name, made[name].encode())
        except Exception as problem:  # noqa: BLE001 - nothing that a page trips over may cost a decision
            lines.append(f"{name} could not be written to {folder} ({_why(problem)})")
            continue
        if name == page.FILE:
            lines.append(f"report: {folder / name}")
    step = environ.get(STEP_SUMMARY)
    if step and summary.FILE in made:
        try:
            with Path(step).open("a", encoding="utf-8") as file:
                file.write(made[summary.FILE])
        except OSError as problem:
            lines.append(f"the step summary could not be appended to {step} ({_why(problem)})")
    return lines


def _why(problem: Exception) -> str:
    said = problem.strerror if isinstance(problem, OSError) else ""
    return said or f"{type(problem).__name__}: {problem}"[:200]

"""`mlgates init`: writes the five settings that matter, pins a plain golden file, and makes the ledger."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates import sources
from pytest_mlgates.cache import write_atomically
from pytest_mlgates.doors import open_doors, registry_uri
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, UsageError
from pytest_mlgates.settings import load

HELP = "write the five settings that matter, and make the ledger"
_QUESTIONS = {
    "model": "name of the registered model",
    "golden": "golden set, a Parquet or CSV file",
    "label": "its label column",
    "task": "task (binary, multiclass or regression)",
}


def add(parser: argparse.ArgumentParser) -> None:
    for key, question in _QUESTIONS.items():
        parser.add_argument(f"--{key}", help=question)
    parser.add_argument("--gates", default="default", help='gates to require, separated by commas (default: "default")')
    parser.add_argument("--dvc-add", action="store_true", help="pin a golden set that is a plain file with `dvc add`")


def run(given: argparse.Namespace) -> int:
    """Exit code 1 when the registry refuses the ledger: the settings are written all the same."""
    print(initialise(Path.cwd(), given))
    made, sentence = _ledger(Path.cwd(), os.environ)
    print(f"{sentence}\nnext: pytest --mlgate")
    return 0 if made else 1


def initialise(folder: Path, given: argparse.Namespace, ask: Callable[[str], str] = input) -> str:
    """Write the settings for a repository in `folder`; what `given` lacks is asked for on a terminal.

    Returns what was done and is left to do. Raises UsageError when settings exist already, or an answer cannot be used.
    """
    exists = sources.find(folder)
    if exists is not None:
        raise UsageError(f"settings exist already in {exists}: edit them there; nothing was changed")
    answers = {key: getattr(given, key) or _asked(key, question, ask) for key, question in _QUESTIONS.items()}
    if answers["task"] not in ("binary", "multiclass", "regression"):
        raise UsageError(f"task must be binary, multiclass or regression, not {answers['task']!r}")
    golden = folder / answers["golden"]
    pointer = golden.with_name(golden.name + ".dvc")
    if not golden.is_file() and not pointer.is_file():
        raise UsageError(f"neither {golden} nor its pointer {pointer.name} exists: give the path of the golden set")
    if given.dvc_add and not pointer.is_file():
        _dvc_add(golden)
    file = folder / "pyproject.toml"
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    text = before + ("\n" if before else "") + _table(answers, given.gates.split(","))
    write_atomically(file, text.encode())
    missing = "" if pointer.is_file() else f"\npin the golden set: dvc add {answers['golden']}"
    return f"wrote [tool.mlgates] to {file}{missing}"


def _ledger(folder: Path, environ: Mapping[str, str]) -> tuple[bool, str]:
    """Make the empty companion model, so that whoever may not is told now and not at the first promotion.

    It is begun by the first promotion, with the champion of that day. Returns False, with the sentence that names the
    permission, when the registry refuses it; a registry that cannot be reached from here is no failure.
    """
    try:
        settings = load(folder, {}, environ)
        doors = open_doors(settings, registry_uri(settings, environ))
        doors.registry.find(settings.champion)
        made = doors.log.create()
    except ActionFailed as refused:
        return False, f"the ledger was not made: {refused}"
    except (UsageError, CouldNotEvaluate) as trouble:
        return True, f"the ledger is not made yet, the first promotion makes it: {trouble}"
    said = "made the ledger" if made else "the ledger is there already:"
    name = f"{doors.log.name!r} in {doors.name}"
    return True, f"{said} {name}; whoever promotes needs EDIT on it and on {settings.model!r}"


def _asked(key: str, question: str, ask: Callable[[str], str]) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"--{key} is missing and there is no terminal to ask on: give the {question}")
    answer = ask(f"{question}: ").strip()
    if not answer:
        raise UsageError(f"no answer for the {question}; nothing was changed")
    return answer


def _table(answers: dict[str, str], gates: list[str]) -> str:
    # A JSON string is a TOML string too, whatever is in it.
    lines = [f"{key} = {json.dumps(value)}" for key, value in answers.items()]
    return "\n".join(["[tool.mlgates]", *lines, f"gates = {json.dumps([gate.strip() for gate in gates])}", ""])


def _dvc_add(golden: Path) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "add", golden.name],
            cwd=golden.parent,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"`dvc add {golden}` took longer than 600 s; run it by hand, then `mlgates init` again"
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        if "No module named" in last:
            last = 'DVC is not installed: pip install "pytest-mlgates[golden]"'
        raise UsageError(f"`dvc add {golden.name}` in {golden.parent} failed: {last}")

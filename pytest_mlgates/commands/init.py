"""`mlgates init`: asks the registry and the repository what it can, and writes settings that a person can read."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates import sources
from pytest_mlgates.adoption import ci_files
from pytest_mlgates.doors.outside import open_doors, registry_uri
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, UsageError
from pytest_mlgates.settings import Settings, load

HELP = "write settings from what the registry and the repository say, and make the ledger"
_OPTIONS = {
    "registry": "the registry, e.g. sqlite:///mlflow.db (default: MLFLOW_TRACKING_URI, or the database found here)",
    "model": "name of the registered model",
    "champion": "the alias, or stage:NAME, of the version that serves",
    "challenger": "the alias, or stage:NAME, of the version that wants to serve",
    "golden": "golden set, a Parquet or CSV file",
    "label": "its label column",
    "task": "task (binary, multiclass or regression)",
    "positive-class": "the label that counts as positive",
}


def add(parser: argparse.ArgumentParser) -> None:
    for key, meaning in _OPTIONS.items():
        parser.add_argument(f"--{key}", help=meaning)
    parser.add_argument("--gates", default="default", help='gates to require, separated by commas (default: "default")')
    parser.add_argument("--dvc-add", action="store_true", help="pin a golden set that is a plain file with `dvc add`")
    parser.add_argument("--ci", choices=sorted(ci_files.PLACES), help="write the CI file as well")
    parser.add_argument("--yes", action="store_true", help="take what is found and pin the golden set, without asking")


def run(given: argparse.Namespace) -> int:
    """Exit code 1 when the registry refuses the ledger: the settings are written all the same."""
    root = Path.cwd()
    exists = sources.find(root)
    if exists is not None and given.ci:
        print(f"settings exist already in {exists}: they are kept as they are\n{_ci(root, given, input)}")
        return 0
    print(initialise(root, given))
    made, sentence = _ledger(root, os.environ)
    print(f"{sentence}\nnext: pytest --mlgate")
    return 0 if made else 1


def initialise(folder: Path, given: argparse.Namespace, ask: Callable[[str], str] = input) -> str:
    """Write settings, contract draft and CI file for a repository in `folder`; what is not certain is asked for.

    Returns what was found, done and is left to do. Raises UsageError when settings exist already, an answer cannot be
    used, or something cannot be guessed and there is nobody to ask; then nothing was written.
    """
    from pytest_mlgates.adoption import plan, writing

    exists = sources.find(folder)
    if exists is not None:
        raise UsageError(f"settings exist already in {exists}: edit them there; nothing was changed")
    if given.ci and not sys.stdin.isatty():
        _free(folder, given.ci)
    answers = plan.Answers(vars(given), yes=given.yes, ask=ask if sys.stdin.isatty() else None)
    planned = plan.made(folder, answers, os.environ)
    lines = [*planned.found(), *writing.carried_out(folder, planned)]
    if given.ci:
        lines.append(_ci(folder, given, ask))
    return "\n".join(lines)


def _ci(folder: Path, given: argparse.Namespace, ask: Callable[[str], str]) -> str:
    file = folder / ci_files.place(given.ci)
    if file.exists():
        if not sys.stdin.isatty():
            _free(folder, given.ci)
        if ask(f"replace {file}? [y/N] ").strip().lower() not in ("y", "yes"):
            return f"kept {file}"
        file.unlink()
    return f"wrote {ci_files.written(folder, given.ci)}: look at its first lines, then commit it"


def _free(folder: Path, kind: str) -> None:
    """Without anybody to ask, nothing is overwritten. Raises UsageError."""
    file = folder / ci_files.place(kind)
    if file.exists():
        raise UsageError(f"{file} exists already and there is nobody to ask: remove it, or leave out --ci {kind}")


def _ledger(folder: Path, environ: Mapping[str, str]) -> tuple[bool, str]:
    """Make the empty companion model, so that whoever may not is told now and not at the first promotion.

    It is begun by the first promotion, with the champion of that day. Returns False, with the sentence that names the
    permission, when the registry refuses it; a registry that cannot be reached from here is no failure.
    """
    try:
        settings: Settings = load(folder, {}, environ)
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

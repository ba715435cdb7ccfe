"""The demo's second question: is the challenger fair to everyone? It compares the survey's race codes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.git import Git
from pytest_mlgates.demo.place import resolved

TEXT = """\
What happened: the challenger is better, and it is held all the same. RAC1P is the census code of race. Of the
largest group, code 1, a good half is predicted to be employed; a group passes when its own rate is proven to be
0.8 of that or more. One group is proven to be below. Groups of a few rows cannot be told either way: they hold too,
by name, with the number of rows that they would need.

What to try next:
  cd {root}
  python -c "import json; print(json.dumps([j for g in json.load(open('.mlgates/report/evidence.json'))['gates'] \
if g['name'] == 'fairness' for j in g['judgements']], indent=1))"
      every group's rates with their intervals, the champion's beside the challenger's
  MLGATES_SENSITIVE='["SEX"]' pytest --mlgate
      the same question for men and women: it passes
"""
_SENSITIVE = re.compile(r"^sensitive = .*$", re.MULTILINE)
_GATES = re.compile(r'^gates = ("core"|"default").*$', re.MULTILINE)


def compare_race(directory: Path) -> None:
    """Ask a finished demo for the gate `fairness` on RAC1P instead of SEX, and commit the settings.

    Raises DemoError when the settings are not those that the demo writes.
    """
    from pytest_mlgates.required import BEYOND_CORE, CORE

    root = resolved(directory)
    file = root / "pyproject.toml"
    text, changed = _SENSITIVE.subn('sensitive = ["RAC1P"]          # census codes of race', file.read_text())
    added = 1
    if "fairness" not in (*CORE["binary"], *BEYOND_CORE["binary"]):
        text, added = _GATES.subn(r'gates = [\1, "fairness"]  # which gates must pass before a promotion', text)
    if (changed, added) != (1, 1):
        raise DemoError(f"{file} is not the settings file that the demo writes: build the demo anew")
    file.write_text(text)
    Git(root).commit("Compare race codes", "pyproject.toml")


def what_happened(directory: Path) -> str:
    """What the run says, and what to look at; one command a line, to paste."""
    return TEXT.format(root=shlex.quote(str(resolved(directory))))

"""The plan carried out: the golden set pinned, settings written, a contract drafted. Settings that could not be read
again are never written."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pytest_mlgates.adoption import pinning, table
from pytest_mlgates.adoption.plan import Plan
from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import read


def carried_out(root: Path, plan: Plan) -> list[str]:
    """What was done, a line each. Raises UsageError before anything is written when it cannot be."""
    text = table.text(plan.values, plan.why)
    settings = read(Settings, {**tomllib.loads(text)["tool"]["mlgates"], "base": root}, {}, "what was found")
    said = []
    if plan.start:
        pinning.start_repository(root)
        said.append("made a DVC repository here: commit .dvc")
    if plan.pin:
        pinning.add(plan.golden)
        said.append(f"pinned the golden set: commit {plan.values['golden']}.dvc")
    file = root / "pyproject.toml"
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    write_atomically(file, (before + gap + text).encode())
    said.append(f"wrote [tool.mlgates] to {file}")
    drafted = _contract(settings)
    return [*said, *plan.left, *([drafted] if drafted else [])]


def _contract(settings: Settings) -> str:
    """A draft of the golden contract, where rows are here and none is there yet."""
    from pytest_mlgates import contract
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.golden import read_golden
    from pytest_mlgates.measure.golden.columns import frozen

    place = contract.place_of(settings.golden_file)
    if place.exists():
        return f"kept {place}"
    try:
        pointer = DvcGolden(settings.golden_file).pointer()
        golden = read_golden(settings, pointer.md5)
        made = frozen(golden.X, golden.classes, golden.version)
    except (CouldNotEvaluate, UsageError):
        return ""  # the gates say what is wrong with the set
    write_atomically(place, made.to_json().encode())
    return f'drafted {place}: read it, commit it, and add "golden_contract" to gates'

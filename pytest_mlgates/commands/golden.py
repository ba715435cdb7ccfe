"""`mlgates golden`: what the golden set is, how old, how used, what it can resolve; `golden freeze`: its contract."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.commands import golden_record

if TYPE_CHECKING:
    from pytest_mlgates.golden import GoldenSet
    from pytest_mlgates.ports import Pointer
    from pytest_mlgates.ports.versions import History
    from pytest_mlgates.settings import Settings

HELP = "show the golden set's versions, age and balance, or freeze its contract"
#: What `resolves` assumes of the two models; rows needed fall as they agree more.
_AUC, _CORRELATION = 0.8, 0.9


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="which model of the settings")
    parts = parser.add_subparsers(dest="part", metavar="freeze|record")
    freeze = parts.add_parser("freeze", help="write the contract (columns, nulls, ranges, vocabularies) beside the set")
    record = parts.add_parser("record", help="write rows and a version's answers for `mlgates probe`")
    golden_record.add(record)
    freeze.add_argument("--force", action="store_true", help="replace the contract that is there")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates import settings
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.adapters.golden.git_history import history_of
    from pytest_mlgates.golden import read_golden

    chosen = settings.load(Path.cwd(), {"model": given.model}, os.environ)
    if given.part == "record":
        return golden_record.run(given, chosen)
    store = DvcGolden(chosen.golden_file)
    pointer = store.pointer()
    store.ensure(pointer)
    golden = read_golden(chosen, pointer.md5)
    if given.part == "freeze":
        print(freeze(golden, force=given.force))
    else:
        history = history_of(pointer.file.with_name(pointer.file.name + ".dvc"))
        print("\n".join(described(chosen, golden, pointer, history, datetime.date.today())))
    return 0


def freeze(golden: GoldenSet, *, force: bool) -> str:
    """Write the contract that the golden set keeps, and say so. Raises UsageError when there is one already."""
    from pytest_mlgates import contract
    from pytest_mlgates.cache import write_atomically
    from pytest_mlgates.errors import UsageError
    from pytest_mlgates.measure.golden.columns import frozen

    place = contract.place_of(golden.path)
    if place.exists() and not force:
        raise UsageError(f"{place} exists already: edit it there, or replace it with --force; nothing was changed")
    if place.suffix != ".json":
        raise UsageError(f"{place} is YAML, which is not written here: delete it, or edit it there")
    made = frozen(golden.X, golden.classes, golden.version)
    write_atomically(place, made.to_json().encode())
    return f"wrote {place}: {len(made.columns)} columns of version {golden.version[:8]}\nlook at it, then commit it"


def described(
    chosen: Settings, golden: GoldenSet, pointer: Pointer, history: History, today: datetime.date
) -> Iterator[str]:
    """The lines that `mlgates golden` prints."""
    from pytest_mlgates import contract
    from pytest_mlgates.commands.golden_use import use_of
    from pytest_mlgates.measure.golden.validity import fresh, rarest_class

    place = contract.place_of(golden.path)
    remark = f" ({pointer.remark})" if pointer.remark else ""
    yield f"golden set  {chosen.golden}: {len(golden):,} rows, {golden.X.shape[1]} features"
    yield f"version     {golden.version}{remark}"
    reason = fresh(golden, history, chosen.golden_validity, today).details["reason"]
    yield f"age         {_age(golden, history, today)}{reason}"
    rarest = rarest_class(golden, chosen).details
    if rarest["classes"]:
        shown = [f"{name}: {rows:,} ({rows / len(golden):.1%})" for name, rows in rarest["classes"].items()]
        yield f"classes     {', '.join(shown)}"
    if rarest["advice"]:
        yield f"            {rarest['advice']}"
    if chosen.task == "binary":
        yield f"resolves    {_resolves(golden, alpha_of(chosen))}"
    yield from use_of(chosen, golden)
    yield f"contract    {place.name if place.is_file() else 'none: `mlgates golden freeze` writes one'}"
    yield "history" if history.versions else "history     not in git"
    for version in history.versions:
        day = datetime.datetime.fromtimestamp(version.time, datetime.UTC).date()
        yield f"  {day}  {version.commit[:7]}  {version.md5[:8]}  {version.subject}"


def _age(golden: GoldenSet, history: History, today: datetime.date) -> str:
    since = history.since(golden.version)
    if since is None:
        return ""
    days = (today - datetime.datetime.fromtimestamp(since.time, datetime.UTC).date()).days
    return f"{days} day{'' if days == 1 else 's'}: "


def alpha_of(chosen: Settings) -> float:
    """The level of golden_regression, lower where the budget is enforced."""
    from pytest_mlgates.promotion.budget import at_enforced_level

    return at_enforced_level(chosen).golden_regression.alpha


def _resolves(golden: GoldenSet, alpha: float) -> str:
    """The margin of ROC AUC at which an equal challenger passes with 80 % power."""
    from pytest_mlgates.stats.power import auc_rows_needed

    unit = 0.01
    rows = auc_rows_needed(unit, _AUC, _CORRELATION, float(golden.y.mean()), alpha=alpha)
    margin = unit * (rows / len(golden)) ** 0.5
    return f"{margin:.4f} ROC AUC at 80 % power, for models of AUC {_AUC} whose scores correlate by {_CORRELATION}"

"""`mlgates power`: what a golden set can resolve, and how many rows a margin needs."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.errors import UsageError

if TYPE_CHECKING:
    from pytest_mlgates.measure.golden.power import Design

HELP = "what a golden set can resolve, and how many rows a margin needs"
_SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_CORRELATIONS = (0.5, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class _Asked:
    design: Design
    correlation: float
    source: str
    measured: str
    alpha: float = 0.05


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, help="rows of the golden set (default: the golden set of the settings)")
    parser.add_argument("--margin", type=float, default=0.005, help="ROC AUC margin to prove (default: 0.005)")
    parser.add_argument("--correlation", type=float, help="of the two models' scores (default: measured, else 0.9)")
    parser.add_argument("--balance", type=float, help="share of positives (default: the golden set's, else 0.5)")
    parser.add_argument("--auc", type=float, help="the models' ROC AUC (default: measured, else 0.8)")
    parser.add_argument("--golden", action="store_true", help="insist on the golden set of the settings")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot, .svg or .png")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates.commands import power_plot

    file = power_plot.checked(given.plot) if given.plot else None
    _check(given)
    asked = _asked(given)
    print("\n".join(_lines(asked, given.margin)))
    if file:
        shown = tuple(sorted({*_CORRELATIONS, round(asked.correlation, 2)}))
        power_plot.write(file, asked.design, shown, given.margin, alpha=asked.alpha)
        print(f"plot: {file}")
    return 0


def _check(given: argparse.Namespace) -> None:
    if given.golden and (given.rows is not None or given.balance is not None):
        raise UsageError("--golden takes rows and balance from the golden set: leave out --rows and --balance")
    limits = {
        "--rows": (given.rows, 20, 10**9),
        "--margin": (given.margin, 1e-6, 0.5),
        "--correlation": (given.correlation, 0, 0.9999),
        "--balance": (given.balance, 0.0001, 0.9999),
        "--auc": (given.auc, 0.501, 0.999),
    }
    for name, (value, low, high) in limits.items():
        if value is not None and not low <= value <= high:
            raise UsageError(f"{name} is {value:g}: give a number from {low:g} to {high:g}")


def _asked(given: argparse.Namespace) -> _Asked:
    from pytest_mlgates import sources
    from pytest_mlgates.measure.golden.power import ASSUMED, ASSUMED_AUC, Design

    rows, balance, source, measured = given.rows, given.balance, "", None
    if rows is None:
        if sources.find(Path.cwd()) is not None:
            rows, share, source, measured = _golden()
            balance = share if balance is None else balance
        elif given.golden:
            raise UsageError("--golden needs settings, and there are none here: run `mlgates init`, or give --rows")
    alpha = _alpha() if sources.find(Path.cwd()) is not None else 0.05
    auc, correlation = measured or (ASSUMED_AUC, ASSUMED[0])
    if given.correlation is not None:
        words = ""
    else:
        words = "measured in the last run on this golden set" if measured else "assumed"
    return _Asked(
        Design(rows or 5_000, 0.5 if balance is None else balance, given.auc or auc),
        correlation if given.correlation is None else given.correlation,
        source,
        words,
        alpha,
    )


def _alpha() -> float:
    """The level of golden_regression in the settings, lower where the golden set's budget is enforced."""
    from pytest_mlgates.promotion.budget import at_enforced_level
    from pytest_mlgates.settings import load

    return at_enforced_level(load(Path.cwd(), {}, os.environ)).golden_regression.alpha


def _golden() -> tuple[int, float, str, tuple[float, float] | None]:
    """(rows, share of positives, where from, (AUC, correlation) if measured) of the settings' golden set."""
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.golden import read_golden
    from pytest_mlgates.measure.golden.power import Design
    from pytest_mlgates.settings import load

    settings = load(Path.cwd(), {}, os.environ)
    if settings.task != "binary":
        raise UsageError(f"power is foreseen for binary tasks only, and task is {settings.task!r}: give --rows to try")
    md5 = DvcGolden(settings.golden_file).pointer().md5
    golden = read_golden(settings, md5)
    rows, balance = len(golden), float(golden.y.mean())
    return rows, balance, settings.golden, _measured(settings.report_dir, md5, Design(rows, balance))


def _measured(report: Path, md5: str, design: Design) -> tuple[float, float] | None:
    """(AUC, score correlation) that the last run on this golden set found, if there was one."""
    from pytest_mlgates.measure.golden.power import Design, correlation_of
    from pytest_mlgates.stats.power import minimum_resolvable_margin

    try:
        document = json.loads((report / "evidence.json").read_text())
        if document["golden_set"]["md5"] != md5:
            return None
        gate = next(gate for gate in document["gates"] if gate["name"] == "golden_regression")
        evidence = [judgement["evidence"] for judgement in gate["judgements"]]
        details = next(one["details"] for one in evidence if one["measure"] == "roc_auc gain")
        auc, error = (details["champion"] + details["challenger"]) / 2, float(details["standard_error"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None  # a report that is absent, older, or of other gates: assume
    if not (0.501 < auc < 0.999 and error > 0):
        return None
    return auc, correlation_of(Design(design.rows, design.balance, auc), minimum_resolvable_margin(error))


def _lines(asked: _Asked, margin: float) -> list[str]:
    from pytest_mlgates.measure.golden.power import Design, advice, resolvable, rows_for

    design, correlation, alpha = asked.design, asked.correlation, asked.alpha
    head = f"{design.rows:,} rows{f' in {asked.source}' if asked.source else ''}, {100 * design.balance:.3g} % positive"
    columns = sorted({*_CORRELATIONS, round(correlation, 2)})
    lines = [
        f"{head}, ROC AUC {design.auc:.2g}; 80 % power, alpha {alpha:g}",
        "",
        "the smallest ROC AUC margin that can be proven:",
        f"{'score correlation':>18}" + "".join(f"{column:>10g}" for column in columns),
    ]
    for size in sorted({*_SIZES, design.rows}):
        of_size = Design(size, design.balance, design.auc)
        figures = "".join(f"{resolvable(of_size, column, alpha=alpha):>10.4f}" for column in columns)
        lines.append(f"{f'{size:,} rows':>18}{figures}{'  <' if size == design.rows else ''}")
    needed = "".join(f"{rows_for(margin, design, column, alpha=alpha):>10,}" for column in columns)
    words = f" ({asked.measured})" if asked.measured else ""
    verdict = resolvable(design, correlation, alpha=alpha)
    lines += [f"{f'rows for {margin:g}':>18}{needed}", ""]
    steps = advice(design, margin, correlation, alpha=alpha)
    can = "cannot" if steps else "can"
    lines.append(
        f"at score correlation {correlation:.2g}{words} these rows resolve {verdict:.2g}: they {can} prove {margin:g}"
    )
    return lines + [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]

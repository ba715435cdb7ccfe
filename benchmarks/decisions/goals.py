"""One row of the goals table: what it says, how good we are, how good the usual rule is, and whether that is met."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """`ours` and `usual` are measured figures; `limit` is the least (`at_least`) or the most of ours, None where there
    is no goal and the figure is shown because one should know it.

    `trials` is how many runs the figure's worst cell rests on. `share` False: the figure is a number, not a share.
    """

    name: str
    ours: float
    limit: float | None
    usual: float | None
    trials: int
    at_least: bool = False
    share: bool = True
    remark: str = ""

    @property
    def met(self) -> bool:
        if self.limit is None:
            return True
        return self.ours >= self.limit if self.at_least else self.ours <= self.limit

    @property
    def error(self) -> float:
        """Standard error of a share from so many runs."""
        return math.sqrt(max(self.ours * (1 - self.ours), 0) / self.trials) if self.share else 0.0


HEAD = ("goal", "limit", "ours", "usual rule", "met")


def table(goals: Iterable[Goal]) -> list[str]:
    """The goals as aligned lines."""
    rows = [HEAD, *(_row(goal) for goal in goals)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(goal: Goal) -> tuple[str, ...]:
    limit = "-" if goal.limit is None else f"{'>=' if goal.at_least else '<='} {_figure(goal, goal.limit)}"
    spread = f" +- {100 * goal.error:.1f}" if goal.error >= 5e-4 else ""
    usual = "-" if goal.usual is None else _figure(goal, goal.usual)
    remark = f"  ({goal.remark})" if goal.remark else ""
    met = "no goal" if goal.limit is None else "yes" if goal.met else "NO"
    return goal.name, limit, _figure(goal, goal.ours) + spread, usual, met + remark


def _figure(goal: Goal, value: float) -> str:
    if goal.share:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"

"""What the controller has fixed before anything is collected, and how it says so at the head of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.pins import Pins
from pytest_mlgates.promotion.budget import Budget
from pytest_mlgates.promotion.opening import Opening
from pytest_mlgates.required import Required
from pytest_mlgates.session.run import Run
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from pytest_mlgates.rollout.following import Following


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the controller has fixed. `doors` is None when the registry could not be opened (the pins say why)."""

    settings: Settings
    required: Required
    run: Run
    doors: Doors | None
    opening: Opening
    thresholds: Mapping[str, tuple[float, str]]
    budget: Budget
    apply: bool
    record: bool
    #: What became of the servers of a run that was killed.
    left: tuple[str, ...] = ()
    workload: Callable[[], Following] | None = None

    @property
    def pins(self) -> Pins:
        return self.run.pins

    def header(self) -> list[str]:
        settings, pins = self.settings, self.pins
        wrote = sorted(set(settings.origins.values()))
        lines = [f"mlgates: {settings.model}, phase {settings.phase}, settings from {', '.join(wrote)}"]
        if pins.challenger:
            place = f" in {self.doors.name}" if self.doors else ""
            champion = f"champion {pins.champion.version}" if pins.champion else "no champion yet"
            lines.append(f"mlgates: challenger {pins.challenger.version} against {champion}{place}")
            if settings.task == "binary":
                said = [f"{role} {value:g} ({source})" for role, (value, source) in self.thresholds.items()]
                lines.append(f"mlgates: threshold {', '.join(said)}")
        if pins.golden:
            remark = f" ({pins.golden.remark})" if pins.golden.remark else ""
            lines.append(f"mlgates: golden set {settings.golden} md5 {pins.golden.md5}{remark}")
            lines.append(f"mlgates: {self.budget.line()}")
            lines += [f"mlgates: {sentence}" for sentence in self._foreseen()]
        lines += [f"mlgates: {sentence}" for sentence in self.left]
        return lines + self.repairs()

    def repairs(self) -> list[str]:
        """What an interrupted run had left, and whether it was put right."""
        return [f"mlgates: {'repaired: ' if self.apply else ''}{sentence}" for sentence in self.opening.did]

    def _foreseen(self) -> list[str]:
        """What the rows can tell, said before time is spent; a set that cannot be read is its gates' to report."""
        from pytest_mlgates.measure.golden.power import advance_notice, measured

        try:
            golden = self.run.golden_set
        except CouldNotEvaluate:
            return []
        positives = int(golden.y.sum()) if self.settings.task == "binary" else 0
        kept = self.run.kept_scores() if self.settings.task == "binary" else None
        found = measured(golden.y, *kept, golden.group) if kept else None
        said = {"auc": found[0], "correlation": found[1]} if found else {}
        return advance_notice(len(golden), positives, self.settings, self.required.asked, **said)

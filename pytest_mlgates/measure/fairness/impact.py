"""Disparate impact of every group of one grouping, from the rows themselves or from weighted and clustered ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.fairness.disparate_impact import impact_of_counts
from pytest_mlgates.measure.fairness.group_lines import Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Selected:
    """Of each group: its rows, its selection rate, and as how many independent rows it counts."""

    rows: Mapping[str, int]
    rate: Mapping[str, float]
    effective: Mapping[str, float]

    @classmethod
    def of(cls, names: Sequence[str], rows: NDArray[Any], rate: NDArray[Any], effective: NDArray[Any]) -> Selected:
        """From arrays (groups,)."""
        return cls(*(dict(zip(names, part.tolist(), strict=True)) for part in (rows, rate, effective)))

    @property
    def largest(self) -> str:
        return max(self.rows, key=lambda name: self.rows[name])

    def counts(self) -> dict[str, tuple[float, float]]:
        """Group -> (selected, size) as the score test takes them; whole where a row counts as one."""
        return {name: (self._selected(name), self.effective[name]) for name in self.rows}

    def _selected(self, name: str) -> float:
        exact = self.rate[name] * self.effective[name]
        return round(exact) if self.effective[name] == self.rows[name] else min(exact, self.effective[name])


def impact_evidence(
    family: str,
    selected: Selected,
    *,
    bound: float,
    alpha: float,
    reference: str = "",
    champion: Mapping[str, float] | None = None,
    absent: Sequence[str] = (),
) -> list[Evidence]:
    """The lines of one grouping, to be held against ``at_least(bound)``. `champion` holds its plain impact a group;
    `absent` names declared groups that have no row. Raises CouldNotEvaluate as `impact_of_counts`.
    """
    against = reference or selected.largest
    made = impact_of_counts(selected.counts(), bound=bound, alpha=alpha, reference=against)
    groups = [_with_rows(evidence, selected, against) for evidence in made]
    needed = {one.where: _needed(selected, one.where, against, bound, alpha) for one in groups}
    lines = Lines(family, bound, True, selected.rows, needed, champion or {}, absent, f" against {against}")
    return lines.of(groups)


def impacts(selected: Selected, reference: str) -> dict[str, float]:
    """Each group's rate over the reference's, or the inverse: the plain figure, where there is one."""
    found = {}
    for name, rate in selected.rate.items():
        low, high = sorted((rate, selected.rate[reference]))
        if high > 0:
            found[name] = low / high
    return found


def _with_rows(evidence: Evidence, selected: Selected, against: str) -> Evidence:
    """`n` and the sizes are rows, also where the test was told of fewer."""
    n = selected.rows[evidence.where] + selected.rows[against]
    details = {**evidence.details, "sizes": selected.rows, "effective_sizes": selected.effective}
    return dataclasses.replace(evidence, n=n, details=details)


def _needed(selected: Selected, name: str, against: str, bound: float, alpha: float) -> int | None:
    """Rows that settle the group; where rows count as fewer, more of them in the same measure."""
    from pytest_mlgates.stats.group_power import rows_to_prove
    from pytest_mlgates.stats.power import two_figures

    group, other = ((selected.rate[one], selected.effective[one]) for one in (name, against))
    effective = rows_to_prove(*group, *other, bound, alpha=alpha)
    return None if effective is None else two_figures(effective * selected.rows[name] / selected.effective[name])

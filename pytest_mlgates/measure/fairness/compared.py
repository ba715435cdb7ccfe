"""Groups of people compared: disparate impact, demographic parity, equalized odds, each group's quality.

Disparate impact judges; the differences and the groups' own figures judge where the policy sets a limit, and are
reported where it does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.fairness.champion import Pair, unharmed
from pytest_mlgates.measure.fairness.data import Decided, Judged, judged_rows
from pytest_mlgates.measure.fairness.gaps import ODDS, PARITY, gap_evidence
from pytest_mlgates.measure.fairness.group_rows import Grouping, groupings, pooled, share_gap, shares
from pytest_mlgates.measure.fairness.groups import (
    OF_PREVALENCE,
    Figures,
    group_aucs,
    group_table,
    limit_evidence,
    lower_is_better,
)
from pytest_mlgates.measure.fairness.impact import Selected, impact_evidence, impacts
from pytest_mlgates.measure.fairness.peer import agree, fairlearn_rates
from pytest_mlgates.model import Model
from pytest_mlgates.policy import Fairness
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import did_you_mean

Asked = Literal["at least", "at most", "true", "reported"]
IMPACT = "disparate impact"


@dataclass(frozen=True, slots=True)
class Figure:
    """A piece of evidence and what is asked of it: a number to hold it against, or words."""

    evidence: Evidence
    asked: Asked
    limit: float | str


def fairness_figures(
    golden: GoldenSet, champion: Model | None, challenger: Model, policy: Fairness, settings: Settings
) -> list[Figure]:
    """All figures of all sensitive columns and intersections. Raises CouldNotEvaluate."""
    if not policy.sample:
        groupings(golden.sensitive, policy.crossed)  # wrong columns are said before any model is asked
    judged = judged_rows(golden, champion, challenger, policy, settings)
    found = groupings(judged.rows.sensitive, policy.crossed)
    names = [grouping.name for grouping in found]
    for key in ("production_shares", "reference"):
        for name in getattr(policy, key):
            if name not in names:
                meant = did_you_mean(name, names)
                raise CouldNotEvaluate(
                    f"[tool.mlgates.fairness] {key} names {name!r}, which is neither sensitive nor crossed: {meant}"
                )
    return [one for grouping in found for one in _of_grouping(grouping, found, judged, policy)]


def _of_grouping(whole: Grouping, every: Sequence[Grouping], judged: Judged, policy: Fairness) -> list[Figure]:
    reference = policy.reference.get(whole.name, "")
    if reference and reference not in whole.names:
        raise CouldNotEvaluate(
            f"the reference group {reference!r} of {whole.name} does not occur: {did_you_mean(reference, whole.names)}"
        )
    representation, bound, absent = _representation(whole, every, judged, policy)
    grouping = pooled(whole, policy.pool_below, reference)
    if len(grouping.names) < 2:
        why = f"{whole.name} has one group only, {grouping.names[0]}: there is nothing to compare it with"
        only = Evidence(IMPACT, None, len(judged), where=whole.name, cannot_say=why, details=judged.source)
        return [*representation, Figure(only, "at least", bound)]
    mine = _figures(grouping, judged, judged.challenger)
    theirs = _figures(grouping, judged, judged.champion) if judged.champion else None
    details = _details(grouping, judged, policy, mine, theirs)
    impact = _impact(grouping, judged, policy, (mine, theirs), bound, reference, absent)
    impact[0] = _with_details(impact[0], details)
    made = [*representation, *impact, *_gaps(grouping, judged, policy, mine, theirs)]
    for metric, limit in policy.groups.items():
        lines = limit_evidence(grouping.name, metric, limit, mine, theirs, policy.alpha, judged.unweighted)
        made += [Figure(one, "at most" if lower_is_better(metric) else "at least", limit) for one in lines]
    return made + _champion(grouping, judged, policy, reference)


def _figures(grouping: Grouping, judged: Judged, decided: Decided) -> Figures:
    from pytest_mlgates.stats.group_counts import group_rates

    rates = group_rates(
        grouping.codes,
        len(grouping.names),
        judged.truth,
        decided.selected,
        weight=judged.weight,
        clusters=judged.clusters,
    )
    aucs = group_aucs(grouping.names, grouping.codes, judged.truth, decided.scores, judged.clusters)
    return Figures(grouping.names, rates, aucs)


def _selected(figures: Figures) -> Selected:
    from pytest_mlgates.stats.group_counts import SELECTION

    rates = figures.rates
    return Selected.of(
        figures.names, rates.rows[:, SELECTION], rates.value[:, SELECTION], rates.effective[:, SELECTION]
    )


def _impact(
    grouping: Grouping,
    judged: Judged,
    policy: Fairness,
    figures: tuple[Figures, Figures | None],
    bound: float,
    reference: str,
    absent: Sequence[str],
) -> list[Figure]:
    if judged.unweighted:
        cannot = Evidence(IMPACT, None, len(judged), where=grouping.name, cannot_say=judged.unweighted)
        return [Figure(cannot, "at least", bound)]
    selected = _selected(figures[0])
    against = reference or selected.largest
    lines = impact_evidence(
        grouping.name,
        selected,
        bound=bound,
        alpha=policy.alpha,
        reference=against,
        champion=impacts(_selected(figures[1]), against) if figures[1] else None,
        absent=absent,
    )
    return [Figure(one, "at least", bound) for one in lines]


def _gaps(grouping: Grouping, judged: Judged, policy: Fairness, mine: Figures, theirs: Figures | None) -> list[Figure]:
    limits = {PARITY: policy.demographic_parity, ODDS: policy.equalized_odds}
    made = []
    old = theirs.rates if theirs else None
    for one in gap_evidence(grouping.name, grouping.names, mine.rates, old, len(judged), policy.alpha):
        limit = limits.get(one.measure)
        if judged.unweighted and one.measure != ODDS:
            one = Evidence(one.measure, None, one.n, where=grouping.name, cannot_say=judged.unweighted)
        made.append(Figure(one, "reported", "reported") if limit is None else Figure(one, "at most", limit))
    return made


def _champion(grouping: Grouping, judged: Judged, policy: Fairness, reference: str) -> list[Figure]:
    """The second rule; nothing where there is no champion yet, or the rates themselves cannot be had."""
    import numpy as np

    if not policy.no_worse_than_champion or judged.champion is None or judged.unweighted:
        return []
    against = reference or grouping.names[int(np.argmax(grouping.sizes()))]
    pair = Pair(
        grouping.names,
        grouping.codes,
        judged.champion.selected,
        judged.challenger.selected,
        judged.weight,
        judged.clusters,
    )
    margin, alpha = policy.champion_margin, policy.champion_alpha
    one = unharmed(grouping.name, pair, against, margin=margin, alpha=alpha)
    return [Figure(one, "true", f"not proven worse by more than {margin:g}")]


def _representation(
    whole: Grouping, every: Sequence[Grouping], judged: Judged, policy: Fairness
) -> tuple[list[Figure], float, list[str]]:
    """(the gap to the declared shares as a line, the least disparate impact it asks for, declared groups without rows).

    An intersection is as unrepresentative as its columns: where one of those misses its shares, the higher limit
    holds for the intersection too.
    """
    usual, higher = policy.disparate_impact, max(policy.disparate_impact, policy.unrepresentative)
    declared = policy.production_shares.get(whole.name)
    if declared is None:
        columns = [part for part in every if part.name in whole.columns and part is not whole]
        return [], max([usual, *(_representation(part, every, judged, policy)[1] for part in columns)]), []
    found = shares(whole, judged.weight)
    gap, worst = share_gap(found, declared)
    bound = higher if gap > policy.share_gap else usual
    off = f"{worst} is {found.get(worst, 0.0):.3g} of the rows, {declared.get(worst, 0.0):.3g} declared"
    reason = f"{whole.name}: {gap:.3g} of the rows off the declared production shares ({off}), so {bound:g} is asked"
    details = {"reason": reason, "shares": found, "declared": dict(declared)}
    where = f"{whole.name}: {off}"
    line = Evidence("gap to production shares", gap, len(judged), where=where, details=details)
    words = f"above {policy.share_gap:g} asks {higher:g}"
    return [Figure(line, "reported", words)], bound, [name for name in declared if name not in found]


def _details(
    grouping: Grouping, judged: Judged, policy: Fairness, mine: Figures, theirs: Figures | None
) -> dict[str, Any]:
    unknown = OF_PREVALENCE if judged.unweighted else ()
    details: dict[str, Any] = {
        **judged.source,
        "decision": judged.challenger.rule,
        "champion_decision": judged.champion.rule if judged.champion else None,
        "by_group": group_table(mine, theirs, policy.alpha, unknown),
        "bootstrap": _bootstrap(grouping, judged, policy),
    }
    if policy.fairlearn:
        rates = fairlearn_rates(
            grouping.codes, len(grouping.names), judged.truth, judged.challenger.selected, judged.weight
        )
        details["fairlearn"] = agree(grouping.name, grouping.names, mine.rates, rates)
    return details


def _bootstrap(grouping: Grouping, judged: Judged, policy: Fairness) -> dict[str, Any] | str:
    """The percentile bootstrap's picture of the same figures, as fairlearn would give it."""
    import numpy as np

    from pytest_mlgates.stats.group_counts import confusion
    from pytest_mlgates.stats.group_gaps import drawn_gaps, replicates

    if judged.weight is not None or judged.clusters is not None:
        return "not drawn: rows are weighted or belong together"
    cells = confusion(grouping.codes, len(grouping.names), judged.truth, judged.challenger.selected)
    drawn = drawn_gaps(replicates(cells, policy.draws, policy.seed))
    ends = [policy.alpha, 1 - policy.alpha]
    picture = {name: np.quantile(part, ends) for name, part in drawn._asdict().items()}
    return {"draws": policy.draws, "seed": policy.seed, "level": 1 - 2 * policy.alpha, **picture}


def _with_details(figure: Figure, more: dict[str, Any]) -> Figure:
    evidence = dataclasses.replace(figure.evidence, details={**figure.evidence.details, **more})
    return dataclasses.replace(figure, evidence=evidence)

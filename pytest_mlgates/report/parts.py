"""Further lines that the details of the evidence hold: slices, groups, features, the events of a drill."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.report.forest import Mark, Plot, plot
from pytest_mlgates.report.limits import Limit, limit_of
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.verdict import Judgement, Verdict
from pytest_mlgates.wording import figure

_EVENT = re.compile(r"\s*(\d+(?:\.\d+)?) s  (.*)")
#: Features that are drawn, the furthest moved first.
MOST_FEATURES = 20
HARMED = "harmed"
_RATES = {
    "selection_rate": "selection rate",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
}


def parts(judgements: Sequence[Judgement]) -> list[Plot]:
    """The further plots of one gate's judgements; details that are not what their name says are left out."""
    found = _explained(judgements)
    for judgement in judgements:
        for key, read in _READ.items():
            if key in judgement.evidence.details:
                try:
                    found += read(judgement.evidence, limit_of(judgement.finding.limit))
                except (KeyError, TypeError, ValueError, IndexError, AttributeError):
                    continue
    return found


def _explained(judgements: Sequence[Judgement]) -> list[Plot]:
    """What each feature carries of the answers: beside the champion's where both were explained."""
    details = [judgement.evidence.details for judgement in judgements]
    declared = {str(name) for one in details if isinstance(one.get("declared"), list) for name in one["declared"]}
    pairs = [(one.get("challenger"), one.get("champion")) for one in details]
    both = [pair for pair in pairs if isinstance(pair[0], Mapping) and isinstance(pair[1], Mapping)]
    alone: list[tuple[Any, Any]] = [(one["shares"], {}) for one in details if isinstance(one.get("shares"), Mapping)]
    for new, old in (both or alone)[:1]:
        known = {name: share for name, value in (new or {}).items() if (share := _number(value)) is not None}
        first = sorted(known.items(), key=lambda pair: -pair[1])[:MOST_FEATURES]
        marks = [
            Mark(
                f"{clipped(name)}{' (declared)' if name in declared else ''}",
                f"{100 * share:.1f} %",
                share,
                beside=_number((old or {}).get(name)),
            )
            for name, share in first
        ]
        if marks:
            beside = "champion" if both else ""
            return [plot("share of the explanation by feature (SHAP)", marks, beside=beside, from_zero=True)]
    return []


def _slices(evidence: Evidence, _: Limit | None) -> Iterator[Plot]:
    held = sorted(evidence.details["slices"], key=lambda one: (not one["harmed"], one["gain"]))
    marks = [
        Mark(
            clipped(one["name"]),
            f"{one['gain']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]",
            *(one["gain"], one["low"], one["high"]),
            n=one["n"],
            verdict=Verdict.FAIL if one["harmed"] else None,
            word=HARMED if one["harmed"] else "",
        )
        for one in held
    ]
    untestable = ", ".join(clipped(name, 40) for name in evidence.details.get("untestable", {}))
    note = f"Too few rows to compare: {clipped(untestable, 400)}." if untestable else ""
    if marks:
        yield plot(
            f"{clipped(evidence.details['metric'])} gain by slice", marks, limit=Limit(0.0, above=True), note=note
        )


def _groups(evidence: Evidence, _: Limit | None) -> Iterator[Plot]:
    """Each rate of each group, the champion's beside it."""
    family = clipped(evidence.where.partition("=")[0], 60)
    held = evidence.details["by_group"]
    for key, words in _RATES.items():
        marks = [
            Mark(
                clipped(one["group"]),
                f"{figure(one[key][0])} [{figure(one[key][1])}, {figure(one[key][2])}]",
                one[key][0],
                one[key][1],
                one[key][2],
                beside=_number(one.get(f"champion_{key}")),
                n=round(one["rows"]),
            )
            for one in held
            if key in one and all(_number(end) is not None for end in one[key])
        ]
        if marks:
            yield plot(f"{words} by {family}", marks, beside="champion", from_zero=True)


def _features(evidence: Evidence, limit: Limit | None) -> Iterator[Plot]:
    """How far every feature moved."""
    held = {
        name: _number(one.get("psi")) for name, one in evidence.details["features"].items() if isinstance(one, Mapping)
    }
    known = sorted(((name, value) for name, value in held.items() if value is not None), key=lambda pair: -pair[1])
    marks = [Mark(clipped(name), figure(value), value) for name, value in known[:MOST_FEATURES]]
    left = len(known) - len(marks)
    if marks:
        note = f"{left:,} features that moved less are in evidence.json." if left else ""
        yield plot("population stability index by feature", marks, limit=limit, note=note, from_zero=True)


def _timeline(evidence: Evidence, _: Limit | None) -> Iterator[Plot]:
    told = [match.groups() for line in evidence.details["timeline"] if (match := _EVENT.match(line))]
    if told:
        yield plot(
            "what happened when, in seconds",
            [Mark(clipped(what), f"{at} s", float(at)) for at, what in told],
            from_zero=True,
        )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


_READ: Mapping[str, Callable[[Evidence, Limit | None], Iterator[Plot]]] = {
    "slices": _slices,
    "by_group": _groups,
    "features": _features,
    "timeline": _timeline,
}

"""Figures with their intervals against a limit, one a line on a common axis: margin and uncertainty at a glance.

Places are shares of the width, so a line grows with the page while its text keeps its size.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_mlgates.report.drawing import element
from pytest_mlgates.report.limits import SHOWN_ONLY, Limit, limit_of
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.scale import Scale, around, mark
from pytest_mlgates.report.signs import tone
from pytest_mlgates.verdict import Judgement, Verdict
from pytest_mlgates.wording import YES_NO, interval, shown

if TYPE_CHECKING:
    from markupsafe import Markup

#: Lines of one plot that are drawn, worst first; the evidence file has the rest.
MOST = 40
_HEIGHT, _MIDDLE, _AXIS = 26, 13, 30
#: Shares of the width at which two figures on the axis would touch on a phone.
_CLOSE, _CLOSE_TO_LIMIT = 15.0, 21.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One line: `value` between `low` and `high`; `beside` is the champion's own. None is not drawn."""

    label: str
    said: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    beside: float | None = None
    n: int = 0
    verdict: Verdict | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A mark and its picture."""

    mark: Mark
    picture: Markup | None


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines under one heading on one axis; `hidden` counts those left out, `limit` says what must hold."""

    heading: str
    limit: str
    lines: Sequence[Line]
    axis: Markup | None = None
    hidden: str = ""
    beside: str = ""
    note: str = field(default="")


def judged(judgements: Sequence[Judgement]) -> list[Plot]:
    """The judgements of one gate: those of one measure under one limit share an axis, the worst first."""
    ordered = sorted(judgements, key=lambda one: (-one.verdict, one.evidence.measure, one.finding.limit))
    plots: dict[tuple[str, str, str], list[Judgement]] = {}
    for one in ordered:
        # Plain answers to many questions under one limit are a list.
        measure = "" if one.evidence.unit == YES_NO else one.evidence.measure
        plots.setdefault((measure, one.evidence.unit, one.finding.limit), []).append(one)
    return [_plot_of(held, clipped(words)) for (_, _, words), held in plots.items()]


def _plot_of(held: Sequence[Judgement], limit: str) -> Plot:
    if len({one.evidence.measure for one in held}) == 1:
        return plot(clipped(held[0].evidence.measure), [_mark(one) for one in held], limit_words=limit)
    return plot(limit, [replace(_mark(one), label=clipped(one.evidence.title)) for one in held])


def plot(
    heading: str,
    marks: Sequence[Mark],
    *,
    limit_words: str = "",
    limit: Limit | None = None,
    beside: str = "",
    note: str = "",
    from_zero: bool = False,
    whole: bool = False,
) -> Plot:
    """`marks` on one axis with the limit that `limit_words` tell, if they tell one. `whole`: figures are counts."""
    limit = limit or limit_of(limit_words)
    drawn = marks[:MOST]
    ends = [value for one in drawn for value in (one.value, one.low, one.high, one.beside) if value is not None]
    hidden = _hidden(marks[MOST:])
    # One figure with nothing beside it is a number and no picture.
    lonely = limit is None and len(ends) == 1
    if not ends or lonely or all(one.word == YES_NO for one in drawn):
        return Plot(heading, limit_words, [Line(one, None) for one in drawn], None, hidden, beside, note)
    scale = around([*ends, *([limit.value] if limit else []), *([0.0] if from_zero else [])], 0.0, 100.0)
    lines = [Line(one, _picture(one, limit, scale)) for one in drawn]
    return Plot(heading, limit_words, lines, _axis(limit, scale, whole=whole), hidden, beside, note)


def _mark(one: Judgement) -> Mark:
    found = one.evidence
    value = found.value if found.value is not None and math.isfinite(found.value) else None
    said = "not measured" if found.value is None else f"{shown(found, found.value)} {interval(found)}".strip()
    yes_no = YES_NO if found.unit == YES_NO else ""
    label = clipped(found.where) or found.subject
    low, high = (found.interval.low, found.interval.high) if found.interval else (None, None)
    drawn = (None, None, None) if yes_no else (value, low, high)
    verdict = None if one.verdict is Verdict.PASS and one.finding.limit in SHOWN_ONLY else one.verdict
    return Mark(label or clipped(found.measure), said, *drawn, n=found.n, verdict=verdict, word=yes_no)


def _hidden(marks: Sequence[Mark]) -> str:
    """What is left out, by verdict."""
    if not marks:
        return ""
    by_verdict = itertools.groupby(sorted(m.verdict.name if m.verdict is not None else "" for m in marks))
    counts = ", ".join(f"{len(list(held)):,} {name}".strip() for name, held in by_verdict)
    return f"and {counts} more, which evidence.json has"


def _picture(one: Mark, limit: Limit | None, scale: Scale) -> Markup:
    style = tone(one.verdict)
    parts = [*_good_side(limit, scale, 0, _HEIGHT)]
    if one.low is not None and one.high is not None:
        left, right = (scale(end) if math.isfinite(end) else 0.0 if end < 0 else 100.0 for end in (one.low, one.high))
        parts.append(_across(left, right, _MIDDLE, f"whisker {style}"))
        parts += [
            _down(place, _MIDDLE - 5, _MIDDLE + 5, f"whisker {style}")
            for place, end in ((left, one.low), (right, one.high))
            if math.isfinite(end)
        ]
    if one.beside is not None:
        parts.append(_down(scale(one.beside), _MIDDLE - 8, _MIDDLE + 8, "beside"))
    if one.value is not None:
        parts.append(_point(scale(one.value), one.verdict, style))
    return _strip(_HEIGHT, parts)


def _axis(limit: Limit | None, scale: Scale, *, whole: bool) -> Markup:
    parts = [*_good_side(limit, scale, 0, 8), _across(0.0, 100.0, 8, "axis")]
    at = scale(limit.value) if limit else None
    # The limit's own figure is the one to be read where two would touch.
    taken = [] if at is None else [(at, _CLOSE_TO_LIMIT)]
    for value in scale.marks():
        if whole and value != round(value):
            continue
        place = scale(value)
        parts.append(_down(place, 8, 12, "axis"))
        if all(abs(place - other) > close for other, close in taken):
            parts.append(_text(place, mark(value), "mark"))
            taken.append((place, _CLOSE))
    if limit is not None and at is not None:
        parts.append(_text(at, f"{'▸' if limit.above else ''} {mark(limit.value)} {'' if limit.above else '◂'}", "at"))
    return _strip(_AXIS, parts)


def _good_side(limit: Limit | None, scale: Scale, top: int, bottom: int) -> Iterable[Markup]:
    """The side of the limit on which a figure passes, and the limit itself."""
    if limit is None:
        return
    at = scale(limit.value)
    left, right = (at, 100.0) if limit.above else (0.0, at)
    yield element("rect", x=_share(left), y=top, width=_share(right - left), height=bottom - top, cls="good")
    yield _down(at, top, bottom, "limit")


def _point(at: float, verdict: Verdict | None, style: str) -> Markup:
    """Round where it passes or is only shown, a square on its corner where it fails, hollow where it cannot say."""
    if verdict is Verdict.FAIL:
        return element("rect", x=_share(at), y=_MIDDLE, width=9, height=9, cls="point fail")
    return element("circle", cx=_share(at), cy=_MIDDLE, r=5, cls=f"point {style}")


def _across(left: float, right: float, y: int, cls: str) -> Markup:
    return element("line", x1=_share(left), x2=_share(right), y1=y, y2=y, cls=cls)


def _down(at: float, top: int, bottom: int, cls: str) -> Markup:
    return element("line", x1=_share(at), x2=_share(at), y1=top, y2=bottom, cls=cls)


def _text(at: float, text: str, cls: str) -> Markup:
    side = "start" if at < 8 else "end" if at > 92 else "middle"
    return element("text", text.strip(), x=_share(at), y=25, cls=cls, text_anchor=side)


def _strip(height: int, parts: Iterable[Markup]) -> Markup:
    """What the words beside it say already, so screen readers pass it over."""
    return element("svg", *parts, cls="strip", height=height, width="100%", aria_hidden="true", focusable="false")


def _share(value: float) -> str:
    return f"{value:.1f}%".replace(".0%", "%")

"""Pictures of distributions and curves as SVG, 360 wide, so that they are read on a phone as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_mlgates.report.drawing import bars, element, label, line, path, picture, rectangle
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.scale import Scale, around, mark

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 360
_LEFT, _RIGHT = 10.0, 350.0
#: Where on the axis something stands: (figure, word, style).
Line = tuple[float, str, str]


def histogram(
    edges: Sequence[float],
    counts: Sequence[float],
    title: str,
    *,
    lines: Sequence[Line] = (),
    band: tuple[float, float] | None = None,
    log: bool = False,
) -> Markup:
    """`counts` (b,) between `edges` (b + 1,), with lines across it and a `band` (an interval) behind it."""
    top, base, height = 34.0, 160.0, 190
    scale = around([*edges, *(value for value, _, _ in lines)], _LEFT, _RIGHT, room=0.03, log=log)
    most = max(counts, default=0) or 1
    parts = []
    if band is not None:
        low, high = scale(band[0]), scale(band[1])
        parts.append(rectangle(low, top, high - low, base - top, "band"))
    boxes = [
        (scale(left), max(scale(right) - 0.5, scale(left) + 0.8), base - max((base - top - 4) * count / most, 1.0))
        for left, right, count in zip(edges, edges[1:], counts, strict=False)
        if count
    ]
    parts.append(bars(boxes, base, "bar"))
    parts += _standing(lines, scale, top, base)
    return picture(WIDTH, height, title, *parts, *_across(scale, base))


def roc(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str) -> Markup:
    """A curve a role: (false positive rates, true positive rates)."""
    across, up = Scale(0.0, 1.0, 52.0, 312.0), Scale(0.0, 1.0, 250.0, 10.0)
    parts = [line(across(0), up(0), across(1), up(1), "chance")]
    for value in (0.0, 0.5, 1.0):
        parts += [
            label(across(value), 266, mark(value), "mark middle"),
            label(46, up(value) + 4, mark(value), "mark end"),
        ]
    parts.append(rectangle(across(0), up(1), across(1) - across(0), up(0) - up(1), "frame"))
    parts += [
        path([(across(x), up(y)) for x, y in zip(*rates, strict=True)], f"curve {role}")
        for role, rates in curves.items()
    ]
    parts += [
        label(182, 286, "false positive rate", "mark middle"),
        element("text", "true positive rate", x=-130, y=18, cls="mark middle", transform="rotate(-90)"),
    ]
    return picture(WIDTH, 294, title, *parts)


def score_spread(
    edges: Sequence[float],
    counts: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    thresholds: Mapping[str, float],
    title: str,
) -> Markup:
    """A strip a role: how its scores of the negative and of the positive rows are spread, and its threshold."""
    scale = Scale(edges[0], edges[-1], _LEFT, _RIGHT)
    parts: list[Markup] = []
    base = 0.0
    for role, classes in counts.items():
        top, base = base + 24, base + 100
        parts.append(label(_LEFT, top - 6, role, f"label {role}"))
        shares = [[count / (sum(held) or 1) for count in held] for held in classes]
        most = max(max(held, default=0.0) for held in shares) or 1.0
        for held, cls in zip(shares, ("negative", "positive"), strict=True):
            parts.append(_area(edges, held, most, scale, top, base, cls))
        if role in thresholds:
            parts.append(line(scale(thresholds[role]), top, scale(thresholds[role]), base, "limit"))
        parts.append(line(_LEFT, base, _RIGHT, base, "axis"))
    return picture(WIDTH, base + 24, title, *parts, *_across(scale, base))


def pairs(names: Sequence[str], before: Sequence[float], now: Sequence[float], title: str) -> Markup:
    """Two shares a bin, above each other: what was known, and what is seen now."""
    row, start = 24.0, 92.0
    totals = sum(before) or 1, sum(now) or 1
    most = max([*(b / totals[0] for b in before), *(c / totals[1] for c in now)], default=0.0) or 1.0
    parts = []
    for place, (name, old, new) in enumerate(zip(names, before, now, strict=True)):
        y = place * row
        parts.append(label(start - 6, y + 14, _bin(name), "mark end"))
        for shift, share, cls in ((2.0, old / totals[0], "bar known"), (11.0, new / totals[1], "bar seen")):
            wide = 220 * share / most
            parts.append(rectangle(start, y + shift, wide, 8.0, cls))
        end = start + 4 + 220 * max(old / totals[0], new / totals[1]) / most
        parts.append(label(end, y + 14, f"{100 * (new / totals[1] - old / totals[0]):+.1f}", "mark"))
    return picture(WIDTH, len(names) * row + 4, title, *parts)


def _bin(name: str) -> str:
    """As much of a bin's name as fits beside its bars."""
    text = clipped(name)
    return text if len(text) <= 13 else f"{text[:12]}…"


def _area(
    edges: Sequence[float], shares: Sequence[float], most: float, scale: Scale, top: float, base: float, cls: str
) -> Markup:
    points = [(scale(edges[0]), base)]
    for left, right, share in zip(edges, edges[1:], shares, strict=False):
        y = base - (base - top) * share / most
        points += [(scale(left), y), (scale(right), y)]
    return path([*points, (scale(edges[-1]), base)], f"area {cls}")


def _standing(lines: Sequence[Line], scale: Scale, top: float, base: float) -> list[Markup]:
    """Lines across a picture, their words above, one higher than the next so that none covers another."""
    parts = []
    for place, (value, word, cls) in enumerate(lines):
        at, y = scale(value), top - 6 - 14 * (place % 2)
        side = "start" if at < WIDTH / 2 else "end"
        parts.append(line(at, y + 3 if word else top, at, base, cls))
        parts.append(label(at + (4 if side == "start" else -4), y, word, f"mark {side} {cls}"))
    return parts


def _across(scale: Scale, base: float) -> list[Markup]:
    parts = [line(scale.start, base, scale.end, base, "axis")]
    last = -60.0
    for value in scale.marks(5):
        at = scale(value)
        side = "start" if at < 24 else "end" if at > WIDTH - 24 else "middle"
        parts.append(line(at, base, at, base + 4, "axis"))
        if at - last > 54:
            parts.append(label(at, base + 18, mark(value), f"mark {side}"))
            last = at
    return parts

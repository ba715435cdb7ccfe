"""SVG elements. MarkupSafe escapes every name and value, as Jinja2 does for the page around them.

`svg.py` was tried instead: it writes attributes and texts as they come, so a column named ``<script>`` would run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pytest_mlgates.report.plaintext import visible

if TYPE_CHECKING:
    from markupsafe import Markup


_NAMED = {"cls": "class", "viewbox": "viewBox"}


def element(name: str, *inside: object, **attributes: object) -> Markup:
    """``<name …>inside</name>``; `cls` is ``class``, an underscore a dash. Only Markup in `inside` stays markup."""
    from markupsafe import Markup, escape

    written = "".join(
        f' {_NAMED.get(key) or key.replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{''.join(escape(_plain(part)) for part in inside)}</{name}>")


def picture(width: float, height: float, title: str, *inside: object, cls: str = "") -> Markup:
    """A picture that a screen reader reads as `title`, and that grows and shrinks with the page."""
    whole = f"0 0 {_short(width)} {_short(height)}"
    # A title would show as a tooltip; the figure's caption says it to all.
    return element("svg", *inside, viewbox=whole, cls=f"picture {cls}".strip(), role="img", aria_label=title)


def label(x: float, y: float, text: object, cls: str = "label") -> Markup:
    return element("text", text, x=x, y=y, cls=cls)


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, cls=cls)


def rectangle(x: float, y: float, width: float, height: float, cls: str) -> Markup:
    return element("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), cls=cls)


def path(points: list[tuple[float, float]], cls: str) -> Markup:
    """A line through `points`."""
    steps = " ".join(f"{'L' if n else 'M'}{_short(x)} {_short(y)}" for n, (x, y) in enumerate(points))
    return element("path", d=steps, cls=cls)


def bars(boxes: Iterable[tuple[float, float, float]], base: float, cls: str) -> Markup:
    """Boxes (left, right, top) that stand on `base`, as one shape."""
    steps = "".join(f"M{_short(x)} {_short(base)}V{_short(y)}H{_short(to)}V{_short(base)}Z" for x, to, y in boxes)
    return element("path", d=steps, cls=cls)


def _plain(value: object) -> object:
    """What is no markup is plain text, also where nobody thought of it."""
    return visible(value) if type(value) is str else _short(value)


def _short(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value

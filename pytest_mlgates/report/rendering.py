"""Templates into pages that need nothing but themselves, and run nothing.

Jinja2 escapes whatever it inserts. A page's policy allows one style sheet, by its digest, and nothing else: no script,
no address, no form.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_mlgates.report.plaintext import visible
from pytest_mlgates.report.signs import SIGN, tone

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = ("macros.html.jinja", "page.html.jinja", "history.html.jinja")


def rendered(template: str, **values: object) -> str:
    """One page. Raises jinja2.UndefinedError for a value that the template asks for in vain."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    sources = {name: _resource(name) for name in _TEMPLATES}
    # `finalize` sees whatever is inserted, so no text gets past it that nobody thought of.
    made = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, finalize=_plain)
    style = _resource("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made.globals |= {"sign": SIGN, "tone": tone, "style": Markup(style), "style_hash": f"sha256-{digest}"}
    return made


def _plain(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return files("pytest_mlgates.report").joinpath(name).read_text(encoding="utf-8")

"""A function of the user's own, by its import path."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate, without_login

_PATH = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(\.[^\W\d]\w*)*)")


def imported(path: str, base: Path, what: str, shape: str) -> Any:
    """What ``package.module:name`` means, imported with `base` first on the path.

    `what` ("the metric", say) and `shape` ("a function(y, scores)", say) are for the sentence that says what is
    wrong. Raises CouldNotEvaluate when it cannot be imported, is not there, or cannot be called.
    """
    parts = _PATH.fullmatch(path)
    if parts is None:
        given = without_login(repr(path))
        raise CouldNotEvaluate(f'{what} {given} is no import path: write "package.module:function"')
    module = _module(f"{what} {path!r}", parts["module"], base)
    found: Any = module
    for name in parts["name"].split("."):
        if not hasattr(found, name):
            raise CouldNotEvaluate(f"{what} {path!r}: {getattr(module, '__file__', module)} has no {parts['name']}")
        found = getattr(found, name)
    if not callable(found):
        raise CouldNotEvaluate(f"{what} {path!r} is {found!r}, not {shape}")
    return found


def _module(named: str, name: str, base: Path) -> Any:
    with _first_on_the_path(base):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as problem:
            if problem.name is not None and (name == problem.name or name.startswith(f"{problem.name}.")):
                missing = f"there is no module {problem.name!r} in {base} or among the installed packages"
                raise CouldNotEvaluate(f"{named}: {missing}") from None
            raise CouldNotEvaluate(f"{named}: importing {name} failed: {problem}") from None
        except Exception as problem:  # noqa: BLE001 - a user's module may raise anything; it is not to be had then
            raised = f"{type(problem).__name__}: {problem}"
            raise CouldNotEvaluate(f"{named}: importing {name} raised {raised}") from None
    file, meant = getattr(module, "__file__", None), base.joinpath(*name.split(".")).with_suffix(".py")
    if meant.is_file() and (file is None or not meant.samefile(file)):
        raise CouldNotEvaluate(f"{named}: {file} was imported before under that name; rename {meant.name}")
    return module


@contextlib.contextmanager
def _first_on_the_path(base: Path) -> Iterator[None]:
    sys.path.insert(0, str(base))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(base))

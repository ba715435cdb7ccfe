"""Protocols: how rows are asked over HTTP and how the answer is read. Pure; the load generator's process has them too.

`by_name("mlflow")`, or with options as JSON behind the name: `by_name('kserve {"model": "credit"}')`. Nothing but the
standard library is imported here, so that a readiness command and a load generator start at once.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.importing import imported
from pytest_mlgates.ports.serving import Wire
from pytest_mlgates.wires.base import Base
from pytest_mlgates.wires.kserve import Kserve
from pytest_mlgates.wires.mlflow import Mlflow
from pytest_mlgates.wires.plain import PlainJson
from pytest_mlgates.wires.sse import Sse

WIRES: Mapping[str, type[Base]] = {"mlflow": Mlflow, "kserve": Kserve, "json": PlainJson, "sse": Sse}
#: Wires that plugins add, for this session: name -> import path.
OWN: dict[str, str] = {}


def by_name(spec: str) -> Wire:
    """The wire that `spec` means: a name, and options as JSON behind it; the inverse of a wire's own `spec`.

    Raises UsageError for an unknown name or option, or a value that cannot be.
    """
    name, _, words = spec.strip().partition(" ")
    try:
        options = json.loads(words) if words.strip() else {}
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise UsageError(f"the options of the wire {name!r} must be a JSON object, not {words[:200]!r}")
    return made(name, options)


def made(name: str, options: Mapping[str, Any]) -> Wire:
    """The wire `name` with `options`. Raises UsageError as `by_name`."""
    kind = _kind(name)
    known = kind.options()
    for option in options:
        if option not in known:
            raise UsageError(f"the wire {name!r} has no option {option!r}: {_near(option, known)}")
    wire: Any = kind(**options)
    return wire  # type: ignore[no-any-return]


def introduce(name: str, kind: Any) -> None:
    """Let `name` mean the wire `kind`. Raises UsageError for one that another process could not import."""
    _checked(name, kind)
    module = kind.__module__.rpartition(".")[2]
    if module in ("conftest", "__main__") or "<" in kind.__qualname__:
        raise UsageError(
            f"the wire {name!r} is defined in {module}, which other processes cannot import: put it in a module"
        )
    OWN[name] = f"{kind.__module__}:{kind.__qualname__}"


def _kind(name: str) -> type[Base]:
    """A shipped wire, one that a plugin added, or one by its import path."""
    path = OWN.get(name, name)
    if path in WIRES:
        return WIRES[path]
    if ":" not in path:
        raise UsageError(f"unknown wire {name!r}: {_near(name, [*WIRES, *OWN])}")
    try:
        found = imported(path, Path.cwd(), "the wire", "a subclass of pytest_mlgates.wires.base.Base")
    except CouldNotEvaluate as problem:
        raise UsageError(str(problem)) from None
    return _checked(name, found)


def _checked(name: str, kind: Any) -> type[Base]:
    """Raises UsageError for what is no wire."""
    if not (isinstance(kind, type) and issubclass(kind, Base) and all(hasattr(kind, one) for one in ("call", "read"))):
        raise UsageError(
            f"the wire {name!r} is {kind!r}, not a subclass of pytest_mlgates.wires.base.Base with call and read"
        )
    return kind


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"

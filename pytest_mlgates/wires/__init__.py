"""Protocols: how rows are asked over HTTP and how the answer is read. Pure; the load generator's process has them too.

`by_name("mlflow")`, or with options as JSON behind the name: `by_name('kserve {"model": "credit"}')`. Nothing but the
standard library is imported here, so that a readiness command and a load generator start at once.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ports.serving import Wire
from pytest_mlgates.wires.base import Base
from pytest_mlgates.wires.kserve import Kserve
from pytest_mlgates.wires.mlflow import Mlflow
from pytest_mlgates.wires.plain import PlainJson
from pytest_mlgates.wires.sse import Sse

WIRES: Mapping[str, type[Base]] = {"mlflow": Mlflow, "kserve": Kserve, "json": PlainJson, "sse": Sse}


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
    if name not in WIRES:
        raise UsageError(f"unknown wire {name!r}: {_near(name, WIRES)}")
    known = WIRES[name].options()
    for option in options:
        if option not in known:
            raise UsageError(f"the wire {name!r} has no option {option!r}: {_near(option, known)}")
    wire: Any = WIRES[name](**options)
    return wire  # type: ignore[no-any-return]


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"

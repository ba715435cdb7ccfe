"""What models tried although no model may: from the process that saw it, on the reports, to the evidence."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pytest_mlgates.ports import Attempt

#: (role, what was tried).
Tried = tuple[str, Attempt]
#: The name under which attempts travel in `user_properties`, of gates and of other tests.
PROPERTY = "mlgate.tried"
#: Kept of one role; a hostile model can try without end.
MOST = 50


def recorded(found: Iterable[Tried]) -> list[tuple[str, str]]:
    """User properties, in an order of their own."""
    told = ({"role": role, **dataclasses.asdict(attempt)} for role, attempt in sorted(found))
    return [(PROPERTY, json.dumps(one, sort_keys=True)) for one in told]


def heard(report: pytest.TestReport) -> Iterator[Tried]:
    """The inverse of `recorded`."""
    for name, value in report.user_properties:
        if name == PROPERTY:
            told = json.loads(str(value))
            yield told.pop("role"), Attempt(**told)


def listed(found: Iterable[Tried]) -> dict[str, list[dict[str, Any]]]:
    """A list a role, as the evidence has it; empty where nothing was seen."""
    roles: dict[str, list[dict[str, Any]]] = {}
    for role, attempt in sorted(found):
        if len(roles.setdefault(role, [])) < MOST:
            roles[role].append(dataclasses.asdict(attempt))
    return roles

"""Hooks for what a gate cannot say by itself: a metric, a rule, a protocol, a part of the report, a notifier.

Write them in the `conftest.py` beside the settings, or in a plugin that pytest loads (`-p NAME`, or an entry point
`pytest11`): they are asked once, when a run with ``--mlgate`` begins. One in a `conftest.py` that is loaded later, with
the tests below it, comes too late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def pytest_mlgates_metrics() -> Mapping[str, Callable[..., float]]:  # type: ignore[empty-body]
    """Metrics by name, for `[tool.mlgates.golden_regression]` and `[tool.mlgates.slices]`.

    Each is a ``function(y, scores)`` or a scorer of scikit-learn; of a function, `direction` in the settings says
    whether higher or lower is better. A name that is shipped, or given twice, is a usage error.
    """


def pytest_mlgates_rules() -> Mapping[str, Callable[..., Callable[..., Any]]]:  # type: ignore[empty-body]
    """Rules by name, for ``gate.rule(NAME)`` in a gate: each makes a rule (`Evidence` in, `Finding` out) of its limits.

    What a rule raises, or returns beside a `Finding`, is ERROR.
    """


def pytest_mlgates_wires() -> Mapping[str, type[Any]]:  # type: ignore[empty-body]
    """Protocols by name, for `wire` in `[tool.mlgates.endpoint]`: subclasses of `pytest_mlgates.wires.base.Base`.

    They must be in a module that other processes can import (no `conftest.py`; for gates under load an installed
    package), because the load generator speaks them too.
    """


def pytest_mlgates_report_sections(evidence: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, str]]]:  # type: ignore[empty-body]
    """Tables for the report, (title, name -> text), made from the evidence document: text that changes no verdict."""


def pytest_mlgates_notify(message: Any) -> None:
    """Tell people of a run that acted. `message` has `severity`, `title`, `body`, `key` and `link`.

    What it raises, and that it takes longer than `timeout_s` of `[tool.mlgates.notify]`, is said and changes nothing.
    """

"""What plugins of the user's own add, asked for when a session begins and forgotten when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates import wires
from pytest_mlgates.errors import UsageError

_LONGEST = 2000


@dataclass
class Extensions:
    """By name: metrics and rules. `hook` is pytest's own relay, None outside a session."""

    metrics: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    hook: Any = None


known = Extensions()


def gather(hook: Any) -> None:
    """Ask every plugin. Raises UsageError for one that raises, for what is no mapping of names to callables, and for a
    name that is taken.
    """
    forget()
    known.hook = hook
    metrics = _answers(hook, "metrics")
    if metrics:  # numpy is imported only then
        from pytest_mlgates.stats.metrics import METRICS

        known.metrics |= _asked("metric", metrics, METRICS)
    known.rules |= _asked("rule", _answers(hook, "rules"), shipped_rules())
    for name, made in _asked("wire", _answers(hook, "wires"), wires.WIRES).items():
        wires.introduce(name, made)


def forget() -> None:
    known.metrics.clear()
    known.rules.clear()
    known.hook = None
    wires.OWN.clear()


def shipped_rules() -> dict[str, Any]:
    from pytest_mlgates import rules

    names = ("at_least", "at_most", "better_by", "is_true", "not_above", "not_below", "not_worse_than")
    return {name: getattr(rules, name) for name in names}


def rule(name: str) -> Callable[..., Any]:
    """The shipped or added rule called `name`. Raises UsageError."""
    found = shipped_rules() | known.rules
    if name not in found:
        raise UsageError(f"there is no rule {name!r}: known are {', '.join(sorted(found))}")
    return found[name]  # type: ignore[no-any-return]


def sections(evidence: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """(tables for the report, what went wrong with them). A plugin that breaks costs its own table only."""
    if known.hook is None:
        return [], []
    made: list[dict[str, Any]] = []
    troubles = []
    for implementation in known.hook.pytest_mlgates_report_sections.get_hookimpls():
        try:
            words = {"evidence": evidence}
            given = implementation.function(**{name: words[name] for name in implementation.argnames})
            made += [_section(title, rows) for title, rows in given or ()]
        except Exception as problem:  # noqa: BLE001 - a user's plugin may raise anything; the decision stands
            troubles.append(f"no section of the report from {implementation.plugin_name}: {_why(problem)}")
    return made, troubles


def notify(message: Any, timeout: float) -> list[str]:
    """Tell the plugins that tell people; what went wrong, a line each."""
    if known.hook is None:
        return []
    those = known.hook.pytest_mlgates_notify.get_hookimpls()
    return [trouble for one in those for trouble in _told(one, message, timeout)]


def _told(implementation: Any, message: Any, timeout: float) -> Iterator[str]:
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            implementation.function(**({"message": message} if "message" in implementation.argnames else {}))
        except BaseException as problem:  # noqa: BLE001 - whatever a thread raises is said by the one who waits
            raised.append(problem)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    thread.join(timeout)
    name = implementation.plugin_name
    if thread.is_alive():
        yield f"nobody was told by {name}: it takes longer than {timeout:g} s; the decision stands"
    elif raised:
        yield f"nobody was told by {name}: {_why(raised[0])}; the decision stands"


def _answers(hook: Any, what: str) -> Any:
    name = f"pytest_mlgates_{what}"
    try:
        return getattr(hook, name)()
    except Exception as problem:
        raise UsageError(f"{name} of a plugin, or of a conftest.py, raised {_why(problem)}") from problem


def _asked(what: str, answers: Any, shipped: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer, Mapping):
            raise UsageError(f"pytest_mlgates_{what}s must return names and {what}s, such as {{...}}, not {answer!r}")
        for name, one in answer.items():
            if name in shipped or name in found:
                raise UsageError(f"a plugin adds the {what} {name!r}, which there is already: give it another name")
            if not isinstance(name, str) or not name or not callable(one):
                raise UsageError(f"a plugin adds the {what} {name!r}, which is {one!r} and cannot be called")
            found[name] = one
    return found


def _section(title: Any, rows: Any) -> dict[str, Any]:
    lines = [[str(name)[:_LONGEST], str(words)[:_LONGEST]] for name, words in dict(rows).items()]
    return {"title": str(title)[:_LONGEST], "rows": lines}


def _why(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}"[:300]

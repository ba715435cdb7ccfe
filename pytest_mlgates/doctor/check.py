"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.errors import MlgatesError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """`what` was looked at, `state` and `sentence` say what was found, `do` what to do about it ("" for nothing)."""

    what: str
    state: State
    sentence: str
    do: str = ""


def ok(what: str, sentence: str) -> Check:
    return Check(what, "ok", sentence)


def warn(what: str, sentence: str, do: str) -> Check:
    return Check(what, "warn", sentence, do)


def fail(what: str, sentence: str, do: str = "") -> Check:
    return Check(what, "fail", sentence, do)


def guarded(what: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """What `look` finds; trouble on the way is a check that failed, whose sentence says what to do itself."""
    try:
        yield from look()
    except MlgatesError as problem:
        yield fail(what, str(problem))
    except Exception as problem:  # noqa: BLE001 - whatever breaks while looking is a finding, not the end of looking
        yield fail(what, f"it could not be looked at: {type(problem).__name__}: {problem}")

"""Stand-ins that do something at the k-th call of a port, before or after its effect: fail, wait, or kill."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

Hook = Callable[[str, str], None]


class Watched:
    """Passes every call on to `inner`, and tells `hook` before ("before", NAME) and after ("after", NAME)."""

    def __init__(self, inner: Any, hook: Hook) -> None:
        self._inner = inner
        self._hook = hook

    @property
    def name(self) -> str:
        return str(self._inner.name)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if not callable(call):
            return call

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._hook("before", name)
            answer = call(*args, **kwargs)
            self._hook("after", name)
            return answer

        return watched


class Tape:
    """A hook that writes down what was called, and acts at given positions. One tape serves log and registry."""

    def __init__(self, at: dict[int, Callable[[], None]] | None = None) -> None:
        self.said: list[tuple[str, str]] = []
        self._at = at or {}

    def __call__(self, when: str, name: str) -> None:
        self.said.append((when, name))
        act = self._at.get(len(self.said) - 1)
        if act is not None:
            act()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(problem: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise problem

    return act

"""Messages on their way: to the channels of their severity, and not the same one again and again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.policy import Notify
from pytest_mlgates.ports.notifier import Message, Notifier

#: What is remembered as told, at most.
_MOST = 1000


class Teller:
    """`file` remembers what was told and when, for all processes of a repository."""

    def __init__(self, policy: Notify, notifier: Notifier, file: Path, environ: Mapping[str, str]) -> None:
        self.policy, self.notifier, self.file, self.environ = policy, notifier, file, environ

    def tell(self, message: Message, now: float) -> str:
        """Send it, unless it was told lately; what went wrong in one line, or "". Never raises."""
        try:
            urls = self._urls(message.severity)
            told = self._told(now)
            if not urls or message.key in told:
                return ""
            self.notifier.tell(message, urls)
        except Exception as problem:  # noqa: BLE001 - people not being told changes no verdict
            why = problem if isinstance(problem, CouldNotEvaluate) else type(problem).__name__
            return f"nobody could be told of {message.title!r}: {why}"
        told[message.key] = now
        with contextlib.suppress(OSError):  # told twice is better than not at all
            newest = dict(sorted(told.items(), key=lambda item: item[1])[-_MOST:])
            write_atomically(self.file, json.dumps(newest).encode())
        return ""

    def link(self) -> str:
        link = self.policy.link
        return self.environ.get(link.removeprefix("env:"), "") if link.startswith("env:") else link

    def _urls(self, severity: str) -> list[str]:
        names = [name for channel in getattr(self.policy, severity.lower()) for name in getattr(self.policy, channel)]
        missing = [name for name in names if not self.environ.get(name.removeprefix("env:"))]
        if missing:
            raise CouldNotEvaluate(f"{missing[0].removeprefix('env:')} is not set in the environment")
        return [self.environ[name.removeprefix("env:")] for name in names]

    def _told(self, now: float) -> dict[str, float]:
        try:
            found = json.loads(self.file.read_bytes())
            return {str(k): float(v) for k, v in found.items() if 0 <= now - float(v) < self.policy.quiet_s}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

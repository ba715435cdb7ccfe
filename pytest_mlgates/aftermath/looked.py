"""The last looks at drift and decay, and for which champions an event was sent: one small file a model."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_mlgates.aftermath.retrain import Checked
from pytest_mlgates.cache import write_atomically
from pytest_mlgates.policy import Retrain

#: Champions that are remembered as told.
_MOST = 200


@dataclass
class Looked:
    """`looks` oldest first."""

    looks: list[Checked]
    told: list[str]

    def add(self, look: Checked, policy: Retrain) -> None:
        """Looks that come closer together than `apart_s` are one: the same rows, asked again."""
        if not self.looks or look.champion != self.looks[-1].champion or look.at - self.looks[-1].at >= policy.apart_s:
            self.looks = [*self.looks, look][-policy.checks :]


@contextmanager
def held(file: Path) -> Iterator[Looked]:
    """Kept when the block ends, also by an exception; one process at a time. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        book = _read(file)
        try:
            yield book
        finally:
            told = {"looks": [asdict(look) for look in book.looks], "told": book.told[-_MOST:]}
            write_atomically(file, json.dumps(told).encode())


def _read(file: Path) -> Looked:
    """A file that cannot be read is begun anew: the event comes some looks later."""
    try:
        found = json.loads(file.read_bytes())
        return Looked([Checked(**look) for look in found["looks"]], [str(name) for name in found["told"]])
    except (OSError, ValueError, KeyError, TypeError):
        return Looked([], [])

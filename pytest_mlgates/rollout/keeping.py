"""The note that a drill leaves on the workload, and putting back what it says: by that drill, or by the next one."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.adapters.serving.lease import Lease, mine
from pytest_mlgates.errors import CouldNotEvaluate, Unreachable
from pytest_mlgates.ports import Cluster, Registry, Release

#: Seconds beyond its rollouts after which a drill on another machine is taken for dead.
_MARGIN = 60.0


@dataclass(frozen=True)
class Note:
    """What a drill leaves on the workload before it changes anything, so that another can put it right.

    `original` is None where the drill itself brought the workload into being; `before` is what the alias meant, and
    `moved_to` the versions that the drill makes it mean.
    """

    mark: str
    host: str
    pid: int
    started: str
    until: float
    alias: str
    before: str
    moved_to: tuple[str, ...]
    original: Release | None
    step: str

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str, where: str) -> Note:
        try:
            told = json.loads(text)
            original = told.pop("original")
            moved_to = tuple(told.pop("moved_to"))
            return cls(**told, moved_to=moved_to, original=Release(**original) if original else None)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise CouldNotEvaluate(
                f"the note on {where} is no drill's ({text[:80]!r}): find out whose it is, and take it away"
            ) from None

    @property
    def running(self) -> str:
        """Who holds the workload, or "" when that drill is dead."""
        if self.host == socket.gethostname():
            me = mine()
            alive = (self.pid, self.started) != (me.pid, me.started) and Lease(self.pid, self.started).alive
            return f"process {self.pid} here" if alive else ""
        clock = time.strftime("%H:%M:%S", time.localtime(self.until))
        return f"a process on {self.host} (until {clock} at the latest)" if time.time() < self.until else ""


class Keeping:
    """Holds the workload's note for one drill, and puts back what the note says."""

    def __init__(
        self, cluster: Cluster, registry: Registry, within: float, note: Note, say: Callable[[str], None]
    ) -> None:
        self._cluster, self._registry, self._within, self._say = cluster, registry, within, say
        self._note = note
        self._text = ""

    def hold(self, step: str) -> None:
        """Raises CouldNotEvaluate when somebody else has the workload now."""
        self._note = _renewed(self._note, step, self._within)
        text = self._note.text()
        if not self._cluster.leave(text, instead_of=self._text):
            raise CouldNotEvaluate(f"another drill has taken {self._cluster.name} meanwhile")
        self._text = text

    def let_go(self) -> None:
        """The workload serves what it served before, the alias means what it meant, nothing with the mark is left."""
        try:
            self.hold("putting back")
        except Unreachable:
            _alias_back(self._registry, self._note, self._say)
            raise
        put_back(self._cluster, self._registry, self._note, self._within, self._say)
        if self._note.original is None:
            self._cluster.remove()
        self._cluster.leave("", instead_of=self._text)


def recover(cluster: Cluster, registry: Registry, within: float, say: Callable[[str], None]) -> bool:
    """Put right what a drill that was killed left behind; whether there was any.

    Raises CouldNotEvaluate when that drill is still running, ActionFailed when it cannot be put right.
    """
    text = cluster.note()
    if not text:
        return False
    note = Note.read(text, cluster.name)
    if note.running:
        raise CouldNotEvaluate(f"a drill is running on {cluster.name} already: {note.running}, {note.step}")
    mine_now = _renewed(note, f"after {note.step}", within).text()
    if not cluster.leave(mine_now, instead_of=text):
        raise CouldNotEvaluate(f"another drill has taken {cluster.name} just now")
    put_back(cluster, registry, note, within, say)
    cluster.leave("", instead_of=mine_now)
    say(f"put right what a drill left that ended while it was {note.step}")
    return True


def put_back(cluster: Cluster, registry: Registry, note: Note, within: float, say: Callable[[str], None]) -> None:
    """The workload and the alias; the alias also when the workload cannot be put back."""
    try:
        if note.original is not None:
            _workload_back(cluster, note.original, within)
        for what in cluster.clean(note.mark):
            say(f"removed {what}")
    finally:
        _alias_back(registry, note, say)


def _workload_back(cluster: Cluster, original: Release, within: float) -> None:
    present = cluster.release()
    if present is None:
        return  # somebody took it away altogether
    if present != original:
        to = [one.number for one in cluster.revisions() if one.release == original]
        if to:
            cluster.undo(to[-1])
        else:
            cluster.deploy(original)
    cluster.settle(within)


def _alias_back(registry: Registry, note: Note, say: Callable[[str], None]) -> None:
    found = registry.find(note.alias)
    now = found.number if found else ""
    if now == note.before:
        return
    if now not in note.moved_to:
        say(f"{note.alias!r} was moved to {found or 'nothing'} by somebody else during the drill; it was left there")
        return
    before = registry.find(note.before) if note.before else None
    if before is None:
        registry.unpoint(note.alias)
    else:
        registry.point(note.alias, before)


def _renewed(note: Note, step: str, within: float) -> Note:
    told: Mapping[str, Any] = {**asdict(note), "original": note.original}
    me = mine()
    changed = {"host": socket.gethostname(), "pid": os.getpid(), "started": me.started, "step": step}
    return Note(**{**told, **changed, "until": time.time() + 3 * within + _MARGIN})

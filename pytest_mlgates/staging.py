"""A drill set up and taken down: who takes part, what a killed drill left behind, and the note that says so."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.adapters.drill_load import DrillLoad
from pytest_mlgates.adapters.http_endpoint import plain_rows
from pytest_mlgates.adapters.lease import Lease, mine
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.drill import Stage
from pytest_mlgates.policy import RollbackDrill
from pytest_mlgates.ports import Cluster, Registry, Release, Scorer, Version
from pytest_mlgates.settings import Settings
from pytest_mlgates.workload import Part, Question, number_of, release_of

#: Of so many golden rows, those are asked first that tell the two versions apart.
_LOOKED_AT = 2000
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
        self.hold("putting back")
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
    present = cluster.release()
    if note.original is not None and present is not None:
        if present != note.original:
            to = [one.number for one in cluster.revisions() if one.release == note.original]
            if to:
                cluster.undo(to[-1])
            else:
                cluster.deploy(note.original)
        cluster.settle(within)
    for what in cluster.clean(note.mark):
        say(f"removed {what}")
    _alias_back(registry, note, say)


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


@dataclass(frozen=True)
class Outside:
    """What a drill needs of the outside."""

    cluster: Cluster
    registry: Registry
    scorer: Callable[[], Scorer]
    settings: Settings


def set_up(outside: Outside, golden: GoldenSet, policy: RollbackDrill, say: Callable[[str], None]) -> Stage:
    """Put right what was left, bring the champion to serve where nothing does, and choose the dummy.

    Raises CouldNotEvaluate, ActionFailed, UsageError when there is nobody to play a part.
    """
    cluster, registry, settings = outside.cluster, outside.registry, outside.settings
    assert settings.cluster is not None
    within = settings.cluster.rollout_s
    recover(cluster, registry, within, say)
    serving = cluster.release()
    original = _original(registry, settings, serving, cluster)
    dummy = _dummy(registry, settings, original, policy)
    question, parts = ask_both(outside, golden, policy, original, dummy)
    mark = f"drill-{uuid.uuid4().hex[:12]}"
    before = registry.find(settings.drill_alias)
    me = mine()
    note = Note(
        mark=mark,
        host=socket.gethostname(),
        pid=me.pid,
        started=me.started,
        until=0.0,
        alias=settings.drill_alias,
        before=before.number if before else "",
        moved_to=(original.number, dummy.number),
        original=serving,
        step="beginning",
    )
    keeping = Keeping(cluster, registry, within, note, say)
    keeping.hold("beginning")
    try:
        if serving is None:
            say(f"nothing serves on {cluster.name}: {original} is brought there first")
            cluster.deploy(parts[0].release)
            cluster.settle(within)
        registry.point(settings.drill_alias, original)
    except BaseException:
        with suppress(MlgatesError):
            keeping.let_go()
        raise

    def load() -> DrillLoad:
        expected = {part.release.run_id: part.values for part in parts}
        call = question.call(cluster.url())
        return DrillLoad(call, expected, policy.rate, wire=question.wire, tolerance=policy.tolerance)

    return Stage(
        cluster, registry, settings.drill_alias, *parts, question, mark, load, within, keeping.hold, keeping.let_go
    )


def ask_both(
    outside: Outside, golden: GoldenSet, policy: RollbackDrill, original: Version, dummy: Version
) -> tuple[Question, tuple[Part, Part]]:
    """The golden rows to ask about, those first on which the two differ, and what each answers to them.

    Raises CouldNotEvaluate when no row tells the two apart.
    """
    rows = golden.X.head(_LOOKED_AT)
    first, second = predictions(outside, rows, (original, dummy))
    apart = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if not apart or not original.run_id or original.run_id == dummy.run_id:
        why = "answer the golden rows alike" if not apart else "were made by the same run, or by none that is known"
        raise CouldNotEvaluate(
            f"{original} and {dummy} {why}, so nobody could tell which serves: name another version as dummy in "
            "[tool.mlgates.rollback_drill]"
        )
    others = [i for i in range(len(first)) if i not in set(apart)]
    chosen = [*apart, *others][: policy.rows]
    assert outside.settings.cluster is not None
    columns, values = plain_rows(rows.iloc[chosen])
    question = Question(columns, values, outside.settings.cluster.wire, policy.tolerance)
    parts = [
        Part(version, release_of(version), tuple(said[i] for i in chosen))
        for version, said in ((original, first), (dummy, second))
    ]
    return question, (parts[0], parts[1])


def predictions(outside: Outside, rows: Any, versions: tuple[Version, ...]) -> list[list[Any]]:
    """What each version predicts for `rows`, side by side, in processes of their own. Raises CouldNotEvaluate."""
    scorer = outside.scorer()
    try:
        models = [scorer.open(outside.registry.files(one), f"{one.model} {one}") for one in versions]
        for model in models:
            model.start("predict", rows)
        return [model.answer().values.tolist() for model in models]
    finally:
        scorer.close()


def _original(registry: Registry, settings: Settings, serving: Release | None, cluster: Cluster) -> Version:
    if serving is None:
        champion = registry.find(settings.champion)
        if champion is None:
            raise CouldNotEvaluate(
                f"nothing serves on {cluster.name} and {settings.model} has no champion to come back to"
            )
        return champion
    number = number_of(serving, settings.model)
    found = registry.find(number) if number else None
    if found is None or found.run_id != serving.run_id:
        raise CouldNotEvaluate(
            f"{cluster.name} serves {serving}, which is no version of {settings.model}: deploy one first, with "
            f"MODEL_URI=models:/{settings.model}/NUMBER and its RUN_ID"
        )
    return found


def _dummy(registry: Registry, settings: Settings, original: Version, policy: RollbackDrill) -> Version:
    if policy.dummy:
        found = registry.find(policy.dummy)
        if found is None or found.number == original.number:
            why = "is the version that serves" if found else "does not exist"
            raise CouldNotEvaluate(f"dummy = {policy.dummy!r} in [tool.mlgates.rollback_drill] {why}: name another")
        return found
    numbers = [name for name in registry.references() if name.isdecimal()]
    for reference in (settings.challenger, settings.former, settings.champion, *sorted(numbers, key=int, reverse=True)):
        found = registry.find(reference)
        if found is not None and found.number != original.number and found.run_id not in ("", original.run_id):
            return found
    raise CouldNotEvaluate(
        f"{settings.model} has no version beside {original} that could play the dummy: register one more"
    )


def _renewed(note: Note, step: str, within: float) -> Note:
    told: Mapping[str, Any] = {**asdict(note), "original": note.original}
    me = mine()
    changed = {"host": socket.gethostname(), "pid": os.getpid(), "started": me.started, "step": step}
    return Note(**{**told, **changed, "until": time.time() + 3 * within + _MARGIN})

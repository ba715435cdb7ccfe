"""The workload that goes where the alias goes: announced before the alias is moved, moved after it, and proven.

The announcement is a note on the workload; one that is still there when a run starts is a move that was cut short.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_mlgates.adapters.serving.http_endpoint import plain_rows
from pytest_mlgates.doors.outside import golden_store, open_cluster
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, MlgatesError
from pytest_mlgates.golden import read_golden
from pytest_mlgates.ports import Cluster, Registry, Version
from pytest_mlgates.rollout.staging import Outside, predictions
from pytest_mlgates.settings import Settings
from pytest_mlgates.workload import Part, Question, follow, release_of

_KIND = "follows"


@dataclass
class Following:
    """The serving workload of `settings`; `recorded` is what the ledger says of a version's files: a digest, or "".
    Everything raises ActionFailed.
    """

    settings: Settings
    registry: Registry
    cluster: Cluster
    environ: Mapping[str, str]
    recorded: Callable[[str], str]

    def announce(self, version: Version) -> None:
        """Say on the workload that it is about to be moved; nothing is moved when that cannot be said."""
        before = self.cluster.note()
        if before and not _announced(before):
            raise ActionFailed(f"nothing was changed: {self.cluster.name} is in use by a drill: {before[:200]}")
        said = json.dumps({"kind": _KIND, "to": version.number})
        if not self.cluster.leave(said, instead_of=before):
            raise ActionFailed(f"nothing was changed: somebody else moves {self.cluster.name} at the same time")

    def follow(self, version: Version) -> str:
        """Make it serve `version` and prove it by golden answers; what was done, in a sentence.

        When it does not, it is put back to what it served before, and that is in the error.
        """
        cluster = self.settings.cluster
        assert cluster is not None
        try:
            question, part = self._asked(version)
        except MlgatesError as problem:
            raise ActionFailed(f"the workload was not moved to {version}: {problem}") from None
        seconds = follow(self.cluster, question, part, cluster.rollout_s)
        return f"{self.cluster.name} serves {version} at {self.cluster.url()}, proven after {seconds:.1f} s"

    def done(self) -> None:
        """Take the announcement away."""
        before = self.cluster.note()
        if _announced(before):
            self.cluster.leave("", instead_of=before)

    def catch_up(self, champion: Version | None) -> tuple[str, str]:
        """Finish a move that was cut short: (what was done, what is wrong). A workload that was moved by hand is
        reported and left alone: perhaps somebody on call had a reason."""
        present = self.cluster.release()
        announced = _announced(self.cluster.note())
        if champion is None or present == release_of(champion):
            self.done()
            return "", ""
        if announced:
            sentence = self.follow(champion)
            self.done()
            return f"a move that was cut short is finished: {sentence}", ""
        if present is None:
            return "", ""  # never deployed yet: the next promotion does
        return "", (
            f"{self.cluster.name} serves {present}, but {champion} is champion: it was changed by hand, and left as "
            "it is. Bring it to the champion, or make what it serves champion with `mlgates rollback` or `promote`"
        )

    def _asked(self, version: Version) -> tuple[Question, Part]:
        settings = self.settings
        assert settings.cluster is not None
        if not version.run_id:
            raise CouldNotEvaluate(f"{version} was registered without a run, so no pod could say which one it serves")
        policy = settings.rollback_drill
        store = golden_store(settings)
        pointer = store.pointer()
        store.ensure(pointer)
        rows = read_golden(settings, pointer.md5).X.head(policy.rows)
        outside = Outside(
            self.cluster, self.registry, lambda: open_scorer(settings, self.environ), settings, self.recorded
        )
        values = predictions(outside, rows, (version,))[0]
        columns, plain = plain_rows(rows)
        question = Question(columns, plain, settings.cluster.wire, policy.tolerance)
        return question, Part(version, release_of(version), tuple(values))


def following(
    settings: Settings, registry: Registry, uri: str, environ: Mapping[str, str], recorded: Callable[[str], str]
) -> Callable[[], Following]:
    """How to reach the workload that follows the champion, opened when it is called."""
    return lambda: Following(settings, registry, open_cluster(settings, uri, environ, drill=False), environ, recorded)


def _announced(note: str) -> bool:
    try:
        told = json.loads(note) if note else {}
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("kind") == _KIND

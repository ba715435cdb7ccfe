"""A drill set up: who takes part, what they must answer, and what an earlier drill left behind put right first."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates import fingerprint
from pytest_mlgates.adapters.load.drill_load import DrillLoad
from pytest_mlgates.adapters.serving.http_endpoint import plain_rows
from pytest_mlgates.adapters.serving.lease import mine
from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.drill import Stage
from pytest_mlgates.origin.provenance import altered
from pytest_mlgates.policy import RollbackDrill
from pytest_mlgates.ports import Cluster, Registry, Release, Scorer, Version
from pytest_mlgates.rollout.keeping import Keeping, Note, recover
from pytest_mlgates.settings import Settings
from pytest_mlgates.workload import Part, Question, number_of, release_of

#: Of so many golden rows, those are asked first that tell the two versions apart.
_LOOKED_AT = 2000


@dataclass(frozen=True)
class Outside:
    """What a drill needs of the outside. `recorded` is what the ledger says of a version's files: a digest, or ""."""

    cluster: Cluster
    registry: Registry
    scorer: Callable[[], Scorer]
    settings: Settings
    recorded: Callable[[str], str] = lambda _: ""


def set_up(outside: Outside, golden: GoldenSet, policy: RollbackDrill, say: Callable[[str], None]) -> Stage:
    """Put right what was left, bring the champion to serve where nothing does, and choose the dummy.

    Raises CouldNotEvaluate, ActionFailed, UsageError when there is nobody to play a part.
    """
    cluster, registry, settings = outside.cluster, outside.registry, outside.settings
    told: list[str] = []

    def tell(what: str) -> None:
        told.append(what)
        say(what)

    assert settings.cluster is not None
    within = settings.cluster.rollout_s
    recover(cluster, registry, within, tell)
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
            tell(f"nothing serves on {cluster.name}: {original} is brought there first")
            cluster.deploy(parts[0].release)
            cluster.settle(within)
        registry.point(settings.drill_alias, original)
    except BaseException as problem:
        try:
            keeping.let_go()
        except MlgatesError as second:
            raise CouldNotEvaluate(f"{problem}; what was begun could not be put back: {second}") from problem
        raise

    def load() -> DrillLoad:
        expected = {part.release.run_id: part.values for part in parts}
        call = question.call(cluster.url())
        return DrillLoad(call, expected, policy.rate, wire=question.wire, tolerance=policy.tolerance)

    return Stage(
        cluster,
        registry,
        settings.drill_alias,
        *parts,
        question,
        mark,
        load,
        within,
        keeping.hold,
        keeping.let_go,
        tuple(told),
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
    """What each version predicts for `rows`, side by side, in processes of their own.

    Raises CouldNotEvaluate, also when the files are not those on record: to load a model is to run its code.
    """
    files = [_as_recorded(outside, one) for one in versions]
    scorer = outside.scorer()
    try:
        models = [scorer.open(place, f"{one.model} {one}", one) for place, one in zip(files, versions, strict=True)]
        for model in models:
            model.start("predict", rows)
        return [model.answer().values.tolist() for model in models]
    finally:
        scorer.close()


def _as_recorded(outside: Outside, version: Version) -> Path:
    files = outside.registry.files(version)
    said = altered(str(version), fingerprint.of_folder(files), version.tags, outside.recorded(version.number))
    if said:
        raise CouldNotEvaluate(f"{said}; it was not loaded")
    return files


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

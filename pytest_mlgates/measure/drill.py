"""The way there and back, tried on a workload under load: what it took, and whether anybody noticed."""

from __future__ import annotations

import contextlib
import datetime
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pytest_mlgates.errors import CouldNotEvaluate, MlgatesError, Unreachable
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.policy import ClusterSettings, RollbackDrill
from pytest_mlgates.ports import Asked, Cluster, Registry, SteadyLoad
from pytest_mlgates.workload import Part, Question, prove


@dataclass(frozen=True)
class Stage:
    """Who takes part: `original` serves, `dummy` is put in its place and taken away again, `alias` moves along.

    `mark` is on everything the drill makes; `load` begins to ask the workload; `within` bounds each rollout, in
    seconds. `hold(step)` notes in the workload how far the drill is, and `let_go()` puts back what is left to.
    `told` is what happened while the stage was set up.
    """

    cluster: Cluster
    registry: Registry
    alias: str
    original: Part
    dummy: Part
    question: Question
    mark: str
    load: Callable[[], SteadyLoad]
    within: float
    hold: Callable[[str], None]
    let_go: Callable[[], None]
    told: tuple[str, ...] = ()


@dataclass
class Drilled:
    """What a drill came to. `deploys` and `restores` are seconds, one a repeat; `asked` is what the load met.

    `trouble` says where it broke off; `restored` whether the original was proven to serve at the end. `unheld` says why
    the drill could not be held to its end, which proves nothing, and `left` what could not be put back.
    """

    where: str
    deploys: list[float] = field(default_factory=list)
    restores: list[float] = field(default_factory=list)
    asked: Asked | None = None
    trouble: str = ""
    restored: bool = False
    unheld: str = ""
    left: str = ""
    timeline: list[str] = field(default_factory=list)


def rehearse(stage: Stage, repeats: int, say: Callable[[str], None]) -> Drilled:
    """Deploy the dummy and prove it, put the original back and prove it, `repeats` times under load.

    Whatever happens, the original is put back and what was made is removed; where that fails too, `left` says so.
    A cluster, registry or load that does not answer makes it `unheld`, and so does an original that does not serve.
    """
    drilled = Drilled(stage.cluster.name, timeline=[f"{0:7.2f} s  {what}" for what in stage.told])
    begun = time.monotonic()

    def tell(what: str) -> None:
        drilled.timeline.append(f"{time.monotonic() - begun:7.2f} s  {what}")
        say(what)

    try:
        prove(stage.cluster, stage.question, stage.original, stage.within)
        tell(f"{stage.original} serves on {stage.cluster.name}")
        load = stage.load()
        try:
            _there_and_back(stage, repeats, drilled, tell)
        finally:
            drilled.asked = load.stop()
        tell(f"{drilled.asked.sent} questions asked, {drilled.asked.failed} failed")
    except MlgatesError as problem:
        drilled.unheld = str(problem)
        tell(f"broken off: {problem}")
    finally:
        _let_go(stage, drilled, tell)
    return drilled


def _let_go(stage: Stage, drilled: Drilled, tell: Callable[[str], None]) -> None:
    try:
        stage.let_go()
    except MlgatesError as problem:
        drilled.left = f"{drilled.where} was not put back as it was: {problem}; the next drill does that first"
        tell(drilled.left)
    else:
        tell("everything the drill made is removed")


def _there_and_back(stage: Stage, repeats: int, drilled: Drilled, tell: Callable[[str], None]) -> None:
    """Raises CouldNotEvaluate when the drill cannot go on; what does not work, and shows, is `trouble`."""
    for number in range(1, repeats + 1):
        of = f" ({number} of {repeats})" if repeats > 1 else ""
        drilled.restored = False
        lost: Unreachable | None = None
        start = time.monotonic()
        stage.hold("to the dummy")
        try:
            _there(stage)
            drilled.deploys.append(time.monotonic() - start)
            tell(f"{stage.dummy} serves, {drilled.deploys[-1]:.2f} s after {stage.alias!r} was moved{of}")
        except Unreachable as problem:
            lost = problem
            tell(f"on the way to {stage.dummy}: {problem}")
        except MlgatesError as problem:
            drilled.trouble = f"the dummy {stage.dummy} was not brought to serve: {problem}"
            tell(drilled.trouble)
        start = time.monotonic()
        stage.hold("back to the original")
        try:
            _back(stage)
        except Unreachable:
            raise
        except MlgatesError as problem:
            drilled.trouble = f"{stage.original} was not brought back: {problem}"
            tell(drilled.trouble)
            return
        drilled.restored = True
        seconds = time.monotonic() - start
        tell(f"{stage.original} serves again, {seconds:.2f} s after the rollback began{of}")
        if lost is not None:
            raise lost
        if drilled.trouble:
            return
        drilled.restores.append(seconds)


def _there(stage: Stage) -> None:
    _point(stage, stage.dummy)
    stage.cluster.deploy(stage.dummy.release, stage.mark)
    stage.cluster.settle(stage.within)
    prove(stage.cluster, stage.question, stage.dummy, stage.within)
    found = _meant(stage)
    if found != str(stage.dummy):
        raise CouldNotEvaluate(f"{stage.alias!r} means {found} and not {stage.dummy}: who else moves it?")


def _back(stage: Stage) -> None:
    _point(stage, stage.original)
    if stage.cluster.release() != stage.original.release:
        to = [one.number for one in stage.cluster.revisions() if one.release == stage.original.release]
        if not to:
            raise CouldNotEvaluate(f"no revision of {stage.cluster.name} serves {stage.original} any more")
        stage.cluster.undo(to[-1])
    stage.cluster.settle(stage.within)
    prove(stage.cluster, stage.question, stage.original, stage.within)
    found = _meant(stage)
    if found != str(stage.original):
        raise CouldNotEvaluate(f"{stage.alias!r} means {found} and not {stage.original}")


def _point(stage: Stage, part: Part) -> None:
    with _registry():
        stage.registry.point(stage.alias, part.version)


def _meant(stage: Stage) -> str:
    with _registry():
        return str(stage.registry.find(stage.alias) or "nothing")


@contextlib.contextmanager
def _registry() -> Iterator[None]:
    """A registry that does not answer says nothing of the way back."""
    try:
        yield
    except CouldNotEvaluate as problem:
        raise Unreachable(str(problem)) from None


def was_held(drilled: Drilled) -> None:
    """Raises CouldNotEvaluate when the drill was broken off, or left something behind."""
    said = [one for one in (drilled.unheld, drilled.left) if one]
    if said:
        raise CouldNotEvaluate("; ".join(said))


def p95(seconds: list[float]) -> float | None:
    """The 95th percentile by nearest rank: with fewer than 20 the longest. None of none."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1] if seconds else None


def restored(drilled: Drilled) -> Evidence:
    """Whether the original was proven to serve again, by run id and golden answers, each time. What was seen not to
    work stays seen, also in a drill that was then broken off; else nothing is known of one."""
    there = None if drilled.unheld and not drilled.trouble else int(drilled.restored and not drilled.trouble)
    reason = drilled.trouble or "the original serves again, by run id and golden answers"
    details = {"reason": reason, "timeline": drilled.timeline, "cluster": drilled.where, "left": drilled.left}
    return Evidence("way back proven", there, max(1, len(drilled.restores)), details=details)


def time_to_restore(drilled: Drilled) -> Evidence:
    details = {"seconds": drilled.restores}
    return Evidence("time to restore p95", p95(drilled.restores), len(drilled.restores), unit="s", details=details)


def time_to_deploy(drilled: Drilled) -> Evidence:
    details = {"seconds": drilled.deploys}
    return Evidence("time to deploy p95", p95(drilled.deploys), len(drilled.deploys), unit="s", details=details)


def freshness(
    last: tuple[str, str], cluster: ClusterSettings | None, days: int, now: datetime.datetime | None = None
) -> Evidence:
    """Whether the last drill on record, (when, "VERDICT on WHERE: why"), passed on this kind of cluster in the last
    `days` days before `now`. A drill that did not pass fails; one that is missing, old or elsewhere cannot say."""
    now = now or datetime.datetime.now(datetime.UTC)
    when, told = last
    name = f"a drill in the last {days} days"
    run = "run `pytest --mlgate --mlgate-phase drill --mlgate-record`"
    verdict, _, where = told.partition(" on ")
    where = where.partition("): ")[0] + ")" if "): " in where else where.partition(": ")[0]
    try:
        age = now - datetime.datetime.fromisoformat(when)
    except (ValueError, TypeError):
        return Evidence(name, None, 1, cannot_say=f"no drill is on record: {run}")
    details = {"when": when, "reason": f"the last drill passed on {where}, {age.days} days ago"}
    if verdict in ("INCONCLUSIVE", "ERROR"):
        return Evidence(name, None, 1, cannot_say=f"the last drill, on {when[:10]}, proved nothing ({told}): {run}")
    if verdict != "PASS":
        return Evidence(name, 0, 1, details={"reason": f"the last drill, on {when[:10]}, failed: {told}"})
    kinds = {"local": "local processes", "kubernetes": "Kubernetes"}
    if cluster is not None and not where.startswith(kinds[cluster.kind]):
        return Evidence(name, None, 1, cannot_say=f"the last drill was on {where}, not on this cluster: {run}")
    if not -1 <= age.days < days:
        return Evidence(name, None, 1, cannot_say=f"the last drill was on {when[:10]}, {age.days} days ago: {run}")
    return Evidence(name, 1, 1, details=details)


def failed_requests(drilled: Drilled, policy: RollbackDrill) -> Evidence:
    """How many of the questions during the drill got no right answer; the faults by number are in the details.

    When the load fell behind, no failure cannot say anything: what was not asked cannot have failed. When the drill
    was broken off, a failure cannot either: nobody knows whose it was.
    """
    asked = drilled.asked
    if asked is None:
        return Evidence("failed requests", None)
    details = {"faults": asked.faults, "first": asked.first, "right": asked.right, "seconds": asked.seconds}
    planned = asked.seconds * policy.rate
    behind = f"only {asked.sent} of about {planned:.0f} questions were asked: the machine is too busy"
    cannot_say = behind if not asked.failed and asked.sent < 0.9 * planned - 2 else ""
    cannot_say = "the drill was broken off" if drilled.unheld else cannot_say
    return Evidence("failed requests", asked.failed, asked.sent, cannot_say=cannot_say, details=details)

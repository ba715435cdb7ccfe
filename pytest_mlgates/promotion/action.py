"""Carries a decision out through the ledger, and proves that it happened."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pytest_mlgates.decision import Action, Decision
from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import ActionFailed, ChampionMoved, CouldNotEvaluate, MlgatesError, UsageError
from pytest_mlgates.ledger import Entry, Kind, State, digest_on_record, rollback_target, rollback_targets
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.book import Book, append, begin
from pytest_mlgates.promotion.projector import Projected, change
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

_LONGEST = 5000


class Workload(Protocol):
    """What serves the champion and goes where the alias goes. Everything raises ActionFailed or CouldNotEvaluate."""

    def announce(self, version: Version) -> None:
        """Say that it is about to be moved, before anything is."""

    def follow(self, version: Version) -> str:
        """Serve `version`, proven, or go on with what it served before and raise; a sentence."""

    def done(self) -> None:
        """The move is over, one way or the other."""


@dataclass(frozen=True, slots=True)
class Order:
    """A decision with all that its entry in the ledger records. `after` is what the run judged after,
    `prove` tries a version that is gone back to (given the digest on record) and gives its digest, or raises;
    `announce` is told that a rollback starts."""

    decision: Decision
    pins: Pins
    settings: Settings
    actor: str
    after: int
    evidence: str
    waivers: tuple[str, ...] = ()
    workload: Callable[[], Workload] | None = None
    prove: Callable[[Version, str], str] | None = None
    announce: Callable[[str], None] | None = None

    @property
    def reason(self) -> str:
        return "; ".join(self.decision.reasons)[:_LONGEST]


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed, in a sentence; `trouble` is what went wrong without making the result unsafe, `entry` the
    number in the ledger (0: none).
    """

    sentence: str
    trouble: str = ""
    entry: int = 0


def act(order: Order, doors: Doors) -> Done:
    """Promote, roll back, or record that the challenger is held.

    Raises ChampionMoved when the champion is not the one judged against (nothing was changed), ActionFailed when
    a change failed or its outcome is unknown.
    """
    action = order.decision.action
    try:
        if action is Action.PROMOTE:
            return _promote(order, doors)
        if action is Action.ROLLBACK:
            return _roll_back(order, doors)
    except (ChampionMoved, ActionFailed):
        raise
    except MlgatesError as problem:
        raise ActionFailed(str(problem)) from None
    if action is Action.HOLD and order.pins.challenger is not None:
        return _hold(order, order.pins.challenger, doors)
    return Done("nothing to change")


def record(order: Order, doors: Doors) -> Done:
    """Note in the ledger that this challenger was judged, which spends the golden set's budget. Raises ActionFailed."""
    challenger = order.pins.challenger
    if challenger is None:
        return Done("nothing to record")
    try:
        book = begin(doors.log, doors.registry, order.settings.champion, actor=order.actor)
        ruling = append(book, _entry(order, Kind.JUDGED, order.pins.champion, challenger, book))
    except MlgatesError as problem:
        raise ActionFailed(f"that {challenger} was judged could not be recorded: {problem}") from None
    return Done(f"recorded that {challenger} was judged (ledger entry {ruling.number})")


def drilled(order: Order, doors: Doors, verdict: Verdict, where: str, why: str) -> Done:
    """Note in the ledger what a drill came to: its verdict first, then where and why. Raises ActionFailed."""
    try:
        book = begin(doors.log, doors.registry, order.settings.champion, actor=order.actor)
        reason = f"{verdict} on {where}: {why}"[:_LONGEST]
        entry = Entry(Kind.DRILL, order.actor, after=book.state.last, reason=reason, evidence=order.evidence)
        ruling = append(book, entry)
    except MlgatesError as problem:
        raise ActionFailed(f"the drill could not be recorded: {problem}") from None
    return Done(f"the drill is recorded as {verdict} (ledger entry {ruling.number})", entry=ruling.number)


def _promote(order: Order, doors: Doors) -> Done:
    challenger, champion = order.pins.challenger, order.pins.champion
    if challenger is None:
        raise ActionFailed("there is no pinned challenger to promote")
    workload = order.workload() if order.workload else None
    if workload is not None:
        workload.announce(challenger.version)
    book = begin(doors.log, doors.registry, order.settings.champion, actor=order.actor)
    made = _change(order, doors, book, _entry(order, Kind.PROMOTE, champion, challenger, book))
    reference = order.settings.champion
    replaced = f", replacing {champion.version}" if champion else " (the first champion)"
    done = f"{challenger} is {reference!r} now{replaced} (ledger entry {made.number})"
    if not made.serves:
        done = f"{challenger} was promoted (ledger entry {made.number}), but v{made.champion} has replaced it since"
    elif workload is not None:
        done = f"{done}; {_along(order, doors, book, workload, made)}"
    return Done(done, made.note_missing or _notes(order, doors, challenger, champion), made.number)


def _along(order: Order, doors: Doors, book: Book, workload: Workload, made: Projected) -> str:
    """The workload goes where the alias went, or the alias comes back. Raises ActionFailed when it had to."""
    challenger, champion = order.pins.challenger, order.pins.champion
    assert challenger is not None
    try:
        sentence = workload.follow(challenger.version)
    except (ActionFailed, CouldNotEvaluate) as problem:
        back = f"{order.settings.champion!r} stays: there was no champion before"
        if champion is not None:
            reason = f"entry {made.number} is taken back: {problem}"[:_LONGEST]
            number, run = champion.version.number, champion.version.run_id
            entry = Entry(
                Kind.ROLLBACK, order.actor, challenger.version.number, number, made.number, reason, run, order.evidence
            )
            undone = _change(order, doors, book, entry)
            back = f"{order.settings.champion!r} is v{undone.champion} again (entry {undone.number})"
        workload.done()
        raise ActionFailed(f"{problem}; {back}") from None
    workload.done()
    return sentence


def _roll_back(order: Order, doors: Doors) -> Done:
    champion = order.pins.champion
    if champion is None:
        raise ActionFailed("there is no pinned champion to roll back from")
    book = begin(doors.log, doors.registry, order.settings.champion, actor=order.actor)
    if order.announce is not None:
        order.announce(f"{champion} is taken back: {order.reason}")
    back, digest, unfit = _way_back(order, doors, book.state)
    version, number, target = champion.version, champion.version.number, back.number
    reason, after = "; ".join([order.reason, *unfit])[:_LONGEST], order.after or book.state.last
    run, evidence = version.run_id, order.evidence
    entry = Entry(Kind.ROLLBACK, order.actor, number, target, after, reason, run, evidence=evidence, to_digest=digest)
    workload = order.workload() if order.workload else None
    if workload is not None:
        workload.announce(back)
    made = _change(order, doors, book, entry)
    done = f"{order.settings.champion!r} is v{made.champion} again, instead of {version} (entry {made.number})"
    done = "; ".join([done, *unfit])
    if workload is not None:
        # The announcement stays when this raises, so that the next run tries again.
        done = f"{done}; {workload.follow(back)}"
        workload.done()
    return Done(done)


def _way_back(order: Order, doors: Doors, state: State) -> tuple[Version, str, list[str]]:
    """(the nearest former champion that can serve, its digest, why each nearer one cannot). Raises ActionFailed."""
    rollback_target(state)  # says it when there is none at all
    unfit: list[str] = []
    for target in rollback_targets(state):
        version = doors.registry.find(target)
        try:
            if version is None:
                raise CouldNotEvaluate("it is no longer in the registry")
            recorded = digest_on_record(state, target)
            return version, order.prove(version, recorded) if order.prove else recorded, unfit
        except (UsageError, CouldNotEvaluate) as problem:
            unfit.append(f"v{target} cannot serve again: {problem}")
    raise ActionFailed(f"there is no former champion to go back to that works: {'; '.join(unfit)}")


def _hold(order: Order, challenger: PinnedModel, doors: Doors) -> Done:
    """A hold stands whether or not it can be recorded; that it could not is said."""
    try:
        book = begin(doors.log, doors.registry, order.settings.champion, actor=order.actor)
        ruling = append(book, _entry(order, Kind.HOLD, order.pins.champion, challenger, book))
        doors.registry.tag(challenger.version, _note("held", order.reason, order.actor))
    except MlgatesError as problem:
        return Done(f"{challenger} is held", f"the reason could not be recorded: {problem}")
    return Done(f"{challenger} is held (ledger entry {ruling.number})")


def _change(order: Order, doors: Doors, book: Book, entry: Entry) -> Projected:
    try:
        return change(book, doors.registry, order.settings.champion, entry)
    except CouldNotEvaluate as problem:
        raise ActionFailed(f"it is unknown whether the {entry.kind} took place ({problem}): `mlgates status`") from None


def _entry(order: Order, kind: Kind, champion: PinnedModel | None, challenger: PinnedModel, book: Book) -> Entry:
    return Entry(
        kind,
        order.actor,
        from_=champion.version.number if champion else "",
        to=challenger.version.number,
        # Judged before there was a ledger: after the genesis entry, and only if that is still the last word.
        after=order.after or book.state.rulings[0].number,
        reason=order.reason,
        run=challenger.version.run_id,
        evidence=order.evidence,
        golden=order.pins.golden.md5 if order.pins.golden else "",
        to_digest=challenger.digest,
        waivers=order.waivers,
    )


def _notes(order: Order, doors: Doors, challenger: PinnedModel, champion: PinnedModel | None) -> str:
    """Tags and the alias of the former champion are for people; the promotion stands without them."""
    replaced = f"replaced {champion.version}" if champion else "first champion"
    try:
        doors.registry.tag(challenger.version, _note("promoted", replaced, order.actor))
        if champion is not None:
            doors.registry.tag(champion.version, _note("replaced", f"by {challenger.version}", order.actor))
            _keep_findable(order.settings, doors, champion.version)
    except CouldNotEvaluate as problem:
        return f"promoted, but the notes on the versions could not be written: {problem}"
    return ""


def _keep_findable(settings: Settings, doors: Doors, version: Version) -> None:
    if not settings.champion.startswith("stage:"):
        doors.registry.point(settings.former, version)


def _note(what: str, reason: str, actor: str) -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "mlgates.decision": what,
        "mlgates.reason": reason,
        "mlgates.decided_at": now,
        "mlgates.decided_by": actor,
    }

"""Carries a decision out through the ports, and proves that it happened."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from pytest_mlgates.decision import Action, Decision
from pytest_mlgates.errors import ActionFailed, ChampionMoved, CouldNotEvaluate, MlgatesError
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.ports import Registry
from pytest_mlgates.settings import Settings

_LONGEST_TAG = 5000


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed, in a sentence; `trouble` is what went wrong without making the result unsafe."""

    sentence: str
    trouble: str = ""


def act(decision: Decision, pins: Pins, settings: Settings, registry: Registry, *, actor: str) -> Done:
    """Promote, or leave the reason for holding on the challenger.

    Raises ChampionMoved when the champion is not the one judged against (nothing was changed), ActionFailed when
    the outcome of a change is bad or unknown.
    """
    if decision.action is Action.PROMOTE:
        return _promote(pins, settings, registry, actor)
    if decision.action is Action.HOLD and settings.phase == "promotion" and pins.challenger is not None:
        return _hold(decision, pins.challenger, registry, actor)
    return Done("nothing to change")


def _promote(pins: Pins, settings: Settings, registry: Registry, actor: str) -> Done:
    challenger, champion = pins.challenger, pins.champion
    if challenger is None:
        raise ActionFailed("there is no pinned challenger to promote")
    try:
        _still_champion(champion, settings, registry)
        # The way back is laid before the step is taken.
        if champion is not None and not settings.champion.startswith("stage:"):
            registry.point(settings.former, champion.version)
    except CouldNotEvaluate as problem:
        raise ActionFailed(f"nothing was promoted: {problem}") from None
    try:
        registry.point(settings.champion, challenger.version)
        now = registry.find(settings.champion)
    except CouldNotEvaluate as problem:
        raise ActionFailed(
            f"it is unknown whether {challenger} became {settings.champion!r} ({problem}): look at the registry"
        ) from None
    if now is None or now.number != challenger.version.number:
        raise ActionFailed(f"{settings.champion!r} reads back as {now or 'nothing'} instead of {challenger.version}")
    replaced = f", replacing {champion.version}" if champion else " (the first champion)"
    return Done(f"{challenger} is {settings.champion!r} now{replaced}", _tag_both(pins, registry, actor))


def _still_champion(champion: PinnedModel | None, settings: Settings, registry: Registry) -> None:
    now = registry.find(settings.champion)
    judged, found = champion.version.number if champion else None, now.number if now else None
    if judged != found:
        was = f"v{judged}" if judged else "no champion"
        raise ChampionMoved(
            f"judged against {was}, but {f'v{found}' if found else 'nothing'} is champion now: run again"
        )


def _tag_both(pins: Pins, registry: Registry, actor: str) -> str:
    """Tags are notes for people: the promotion stands without them, but their failure is said."""
    challenger, champion = pins.challenger, pins.champion
    assert challenger is not None
    replaced = champion.version.number if champion else ""
    try:
        registry.tag(
            challenger.version, _note("promoted", f"replaced v{replaced}" if replaced else "first champion", actor)
        )
        if champion is not None:
            registry.tag(champion.version, _note("replaced", f"by v{challenger.version.number}", actor))
    except CouldNotEvaluate as problem:
        return f"promoted, but the tags could not be written: {problem}"
    return ""


def _hold(decision: Decision, challenger: PinnedModel, registry: Registry, actor: str) -> Done:
    try:
        registry.tag(challenger.version, _note("held", "; ".join(decision.reasons), actor))
    except MlgatesError as problem:
        return Done(f"{challenger} is held", f"the reason could not be written on the version: {problem}")
    return Done(f"{challenger} is held; the reason is on the version (tag mlgates.reason)")


def _note(what: str, reason: str, actor: str) -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "mlgates.decision": what,
        "mlgates.reason": reason[:_LONGEST_TAG],
        "mlgates.decided_at": now,
        "mlgates.decided_by": actor,
    }

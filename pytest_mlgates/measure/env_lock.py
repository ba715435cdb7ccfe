"""Is a model trained, scored and served in one environment?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.lock import Difference, Lock, differences, read_lock
from pytest_mlgates.lock.compare import unsaid
from pytest_mlgates.lock.installed import closure, installed
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.policy import EnvLock
from pytest_mlgates.ports import Version
from pytest_mlgates.wording import YES_NO

#: More would not be read; the evidence has all of them.
_SHOWN = 8


class Built(Protocol):
    """An environment built from a lock; `left_out` is what no index has."""

    @property
    def has(self) -> Collection[str]: ...
    @property
    def left_out(self) -> tuple[str, ...]: ...


class Locks(Protocol):
    """Where locks come from, and the environments that are built from them."""

    def believed(self, version: Version) -> Lock | str: ...
    def rebuilt(self, lock: Lock, place: str) -> Built: ...
    def serving(self) -> str: ...


def environments(pins: Pins, policy: EnvLock, locks: Locks) -> Iterator[Evidence]:
    """One figure a comparison: training with serving for the version that is judged, training with this environment
    for every version that is scored here. Raises CouldNotEvaluate for what cannot be read.
    """
    subject = pins.subject
    if pins.problem or subject is None:
        raise CouldNotEvaluate(pins.problem or "no version was pinned")
    recorded = {role: _recorded(one, locks) for role, one in _roles(pins).items()}
    mine = next(role for role, one in _roles(pins).items() if one is subject)
    serving = _read(locks.serving(), policy.serving) if policy.serving else None
    if serving is not None:
        yield _served(subject, mine, recorded[mine], serving, policy.serving)
    if policy.require_hashes:
        yield from _pinned_bytes(mine, {f"the lock of {subject.version}": recorded[mine], policy.serving: serving})
    if policy.scoring_env == "inherit":
        here = installed()
        for role, one in _roles(pins).items():
            yield _scored(one, role, recorded[role], here, blocks=one is subject)
    elif policy.scoring_env == "lock":
        for role, one in _roles(pins).items():
            yield _in_its_own(one, role, recorded[role], locks, blocks=one is subject)
    elif not policy.serving:
        raise CouldNotEvaluate('nothing to compare with: write serving = "FILE or URL" in [tool.mlgates.env_lock]')


def _roles(pins: Pins) -> dict[str, PinnedModel]:
    roles = {"challenger": pins.challenger, "champion": pins.champion, "first champion": pins.first}
    return {role: one for role, one in roles.items() if one is not None}


def _recorded(one: PinnedModel, locks: Locks) -> Lock | str:
    """The training lock, or why there is none that can be believed."""
    try:
        return locks.believed(one.version)
    except UsageError as problem:
        raise CouldNotEvaluate(str(problem)) from None


def _read(text: str, place: str) -> Lock | str:
    try:
        return read_lock(text, place)
    except UsageError as problem:
        raise CouldNotEvaluate(str(problem)) from None


def _served(one: PinnedModel, role: str, lock: Lock | str, serving: Lock | str, place: str) -> Evidence:
    if isinstance(lock, str):
        return _evidence("serves as trained", role, lock, {})
    if isinstance(serving, str):
        same = serving == lock.digest
        reason = "" if same else f"{one.version} was trained with lock {lock.digest[:12]}, {place} has {serving[:12]}"
        return _evidence("serves as trained", role, reason, {"same": f"lock {serving[:12]} in {place}"})
    found = differences(lock, serving, _imported(one, lock, serving))
    details = _told(lock, serving, found)
    reason = _sentence(one, found, place) if found else _open(one, lock, serving, place)
    details["same"] = f"{len(lock.packages)} packages as in {place}" + _silent(lock, serving) + _unpinned(lock)
    return _evidence("serves as trained", role, reason, details, len(lock.packages))


def _scored(one: PinnedModel, role: str, lock: Lock | str, here: Lock, *, blocks: bool) -> Evidence:
    """The import closure of the model, in training and here; a champion's difference is no fault of the challenger."""
    if isinstance(lock, str):
        return _evidence("scored as trained", role, lock, {}, blocks=blocks)
    imported = _imported(one, lock, here)
    found = tuple(one for one in differences(lock, here, imported) if one.imported)
    details = _told(lock, here, found) | {"same": f"{len(imported)} packages that it imports, as in training"}
    reason = _sentence(one, found, "the environment that scores it here") if found else ""
    return _evidence("scored as trained", role, reason, details, len(lock.packages), blocks=blocks)


def _in_its_own(one: PinnedModel, role: str, lock: Lock | str, locks: Locks, *, blocks: bool) -> Evidence:
    """The environment of its lock, built and held against it; what is not there cannot score anything."""
    if isinstance(lock, str):
        return _evidence("scored as trained", role, lock, {}, blocks=blocks)
    built = locks.rebuilt(lock, f"the lock of {one.version}")
    left = f"; without {', '.join(built.left_out[:_SHOWN])}, which no index has" if built.left_out else ""
    said = {"training": lock.digest, "left_out": list(built.left_out)}
    same = f"scored in an environment of its own with the {len(built.has)} packages of its lock{left}"
    return _evidence("scored as trained", role, "", {**said, "same": same}, len(lock.packages), blocks=blocks)


def _pinned_bytes(role: str, locks: Mapping[str, Lock | str | None]) -> Iterator[Evidence]:
    """Of every lock that is there; a digest alone was compared to the last bit already."""
    for place, lock in locks.items():
        if isinstance(lock, Lock):
            loose = lock.loose()
            more = f" and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
            reason = f"{place} does not pin every byte: {'; '.join(loose[:_SHOWN])}{more}" if loose else ""
            said: dict[str, object] = {"loose": list(loose), "same": f"every package of {place} has its hashes"}
            yield _evidence("pinned by hashes", role, reason, said, len(lock.packages))


def _open(one: PinnedModel, lock: Lock, serving: Lock, place: str) -> str:
    """Two locks that say the same range say nothing of what is installed."""
    for of, found in ((f"the lock of {one.version}", lock), (place, serving)):
        loose = next((package for package in found.packages if not package.origin and not package.exact), None)
        if loose is not None:
            said = f"{of} gives {loose.name} as a range ({loose.version or 'any version'})"
            return f"{said}, so what is installed there is not known: lock exact versions"
    return ""


def _unpinned(lock: Lock) -> str:
    """What has the same name and origin on both sides, and perhaps other bytes."""
    found = [f"{package.name} ({package.origin})" for package in lock.packages if package.origin]
    return f"; nothing pins the bytes of {', '.join(found[:_SHOWN])}" if found else ""


def _imported(one: PinnedModel, *locks: Lock) -> frozenset[str]:
    """What the model imports; when it does not say what, anything may be."""
    asked = _imports(one)
    return closure(asked) if asked else frozenset(name for lock in locks for name in lock.versions())


def _imports(one: PinnedModel) -> list[str]:
    """What the model itself asks for: the names in the requirements that MLflow keeps beside it."""
    try:
        text = (Path(one.files) / "requirements.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [found[0] for found in re.finditer(r"^[A-Za-z0-9][A-Za-z0-9._-]*", text, re.MULTILINE)]


def _sentence(one: PinnedModel, found: tuple[Difference, ...], place: str) -> str:
    shown = ", ".join(map(str, found[:_SHOWN]))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    count = f"{len(found)} {'thing differs' if len(found) == 1 else 'things differ'}"
    return f"{one.version}: {count} between training and {place}: {shown}{more}. Build one from the other's lock"


def _told(old: Lock, new: Lock, found: tuple[Difference, ...]) -> dict[str, object]:
    return {"differences": list(map(str, found)), "training": old.digest, "other": new.digest}


def _silent(old: Lock, new: Lock) -> str:
    missing = unsaid(old, new)
    return f" (one of the two does not say its {' and '.join(missing)})" if missing else ""


def _evidence(
    measure: str, role: str, reason: str, details: dict[str, object], n: int = 1, *, blocks: bool = True
) -> Evidence:
    same = details.pop("same", "")
    said = {**details, "reason": reason or same}
    cannot = reason if reason and not blocks else ""
    return Evidence(measure, int(not reason), n, unit=YES_NO, where=role, cannot_say=cannot, details=said)

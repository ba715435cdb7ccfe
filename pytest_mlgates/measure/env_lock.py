"""Is a model trained, scored and served in one environment?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.lock import TAG, Difference, Lock, differences, read_lock
from pytest_mlgates.lock.compare import unsaid
from pytest_mlgates.lock.installed import closure, installed
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.policy import EnvLock
from pytest_mlgates.ports import Version
from pytest_mlgates.wording import YES_NO

#: More would not be read; the evidence has all of them.
_SHOWN = 8


class Locks(Protocol):
    """Where the texts of locks come from."""

    def recorded(self, version: Version) -> str | None: ...
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
    if policy.serving:
        yield _served(subject, mine, recorded[mine], policy, locks)
    if policy.require_hashes and isinstance(recorded[mine], Lock):
        yield _pinned_bytes(subject, mine, recorded[mine])
    if policy.scoring_env == "inherit":
        here = installed()
        for role, one in _roles(pins).items():
            yield _scored(one, role, recorded[role], here, blocks=one is subject)
    elif not policy.serving:
        raise CouldNotEvaluate('nothing to compare with: write serving = "FILE or URL" in [tool.mlgates.env_lock]')


def _roles(pins: Pins) -> dict[str, PinnedModel]:
    roles = {"challenger": pins.challenger, "champion": pins.champion, "first champion": pins.first}
    return {role: one for role, one in roles.items() if one is not None}


def _recorded(one: PinnedModel, locks: Locks) -> Lock | str:
    """The training lock, or why there is none that can be believed."""
    said = one.version.tags.get(TAG, "").strip()
    if not said:
        return f"{one.version} records no lock: run `mlgates lock {one.version.number}` where it is trained"
    text = locks.recorded(one.version)
    if text is None:
        return f"the lock of {one.version} is gone from its run: only its digest {said[:12]} is left"
    lock = _read(text, f"the lock of {one.version}")
    if not isinstance(lock, Lock) or lock.digest != said:
        return f"the lock of {one.version} was changed since it was recorded: its digest is not {said[:12]}"
    return lock


def _read(text: str, place: str) -> Lock | str:
    try:
        return read_lock(text, place)
    except UsageError as problem:
        raise CouldNotEvaluate(str(problem)) from None


def _served(one: PinnedModel, role: str, lock: Lock | str, policy: EnvLock, locks: Locks) -> Evidence:
    place = policy.serving
    if isinstance(lock, str):
        return _evidence("serves as trained", role, lock, {})
    serving = _read(locks.serving(), place)
    if isinstance(serving, str):
        same = serving == lock.digest
        reason = "" if same else f"{one.version} was trained with lock {lock.digest[:12]}, {place} has {serving[:12]}"
        return _evidence("serves as trained", role, reason, {"same": f"lock {serving[:12]} in {place}"})
    imported = closure(_imports(one))
    found = differences(lock, serving, imported)
    details = _told(lock, serving, found)
    reason = _sentence(one, found, imported, place) if found else ""
    details["same"] = f"{len(lock.packages)} packages as in {place}" + _silent(lock, serving)
    return _evidence("serves as trained", role, reason, details, len(lock.packages))


def _scored(one: PinnedModel, role: str, lock: Lock | str, here: Lock, *, blocks: bool) -> Evidence:
    """The import closure of the model, in training and here; a champion's difference is no fault of the challenger."""
    if isinstance(lock, str):
        return _evidence("scored as trained", role, lock, {}, blocks=blocks)
    imported = closure(_imports(one))
    found = tuple(one for one in differences(lock, here, imported) if one.imported)
    details = _told(lock, here, found) | {"same": f"{len(imported)} packages that it imports, as in training"}
    place = "the environment that scores it here"
    reason = _sentence(one, found, imported, place) if found else ""
    return _evidence("scored as trained", role, reason, details, len(lock.packages), blocks=blocks)


def _pinned_bytes(one: PinnedModel, role: str, lock: Lock | str) -> Evidence:
    loose = lock.loose() if isinstance(lock, Lock) else ()
    more = f" and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    reason = f"the lock of {one.version} does not pin every byte: {'; '.join(loose[:_SHOWN])}{more}" if loose else ""
    return _evidence("pinned by hashes", role, reason, {"loose": list(loose), "same": "every package has its hashes"})


def _imports(one: PinnedModel) -> list[str]:
    """What the model itself asks for: the names in the requirements that MLflow keeps beside it."""
    try:
        text = (Path(one.files) / "requirements.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [found[0] for found in re.finditer(r"^[A-Za-z0-9][A-Za-z0-9._-]*", text, re.MULTILINE)]


def _sentence(one: PinnedModel, found: tuple[Difference, ...], imported: frozenset[str], place: str) -> str:
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

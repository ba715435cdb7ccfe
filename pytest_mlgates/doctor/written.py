"""What is written: settings, gates asked for, golden pointer, contract, lock. No registry and no network is asked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates import shipped
from pytest_mlgates.doctor.check import Check, fail, guarded, ok, warn
from pytest_mlgates.policy import PHASE_OF_KIND
from pytest_mlgates.required import KEY_OF_PHASE, Required, required_gates
from pytest_mlgates.settings import Settings


def written(settings: Settings) -> Iterator[Check]:
    """Everything that the files in the repository say."""
    yield from guarded("settings", lambda: _settings(settings))
    yield from guarded("golden set", lambda: _golden(settings))
    yield from guarded("contract", lambda: _contract(settings))
    yield from guarded("lock", lambda: _lock(settings))


def asked(settings: Settings) -> Required:
    """The gates of the settings' phase. Raises UsageError."""
    names = [name for name in shipped.gate_files() if PHASE_OF_KIND.get(name, "promotion") == settings.phase]
    return required_gates(settings, names, datetime.date.today())


def everything_asked(settings: Settings) -> set[str]:
    """The gates of every phase that the settings ask for. Raises UsageError."""
    names = set(asked(settings.model_copy(update={"phase": "promotion"})).asked)
    for phase in ("live", "drill"):
        other = settings.model_copy(update={"phase": phase})
        if getattr(settings, KEY_OF_PHASE[phase]) or (phase == "drill" and settings.cluster):
            names |= set(asked(other).asked)
    return names


def _settings(settings: Settings) -> Iterator[Check]:
    required = asked(settings)
    origins = ", ".join(sorted(set(settings.origins.values())))
    yield ok("settings", f"{settings.model}, from {origins}: {len(required.names)} gates must pass")
    for name in required.expired:
        yield fail("settings", f"the waiver of {name} has expired", "remove it, or give it a later date and a reason")
    for name, reason in required.waived.items():
        yield warn("settings", f"{name} is waived: {reason}", "remove the waiver when its reason is gone")
    for path in settings.paths:
        if not (settings.base / path).exists():
            yield fail("settings", f"paths names {path}, which does not exist", "correct paths, or make the folder")
    own = sorted(everything_asked(settings) - set(shipped.gate_files()))
    text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in _own_files(settings)) if own else ""
    for name in own:
        if name not in text:
            yield fail(
                "settings", f"no gate is called {name!r}", 'write one marked @pytest.mark.mlgate("NAME") in paths'
            )


def _own_files(settings: Settings) -> list[Path]:
    places = [settings.base / path for path in settings.paths]
    return [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))]


def _golden(settings: Settings) -> Iterator[Check]:
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.golden import verified_bytes

    pointer = DvcGolden(settings.golden_file).pointer()
    if not settings.golden_file.is_file():
        yield warn(
            "golden set", f"{settings.golden} is pinned and not here", "`dvc pull` fetches it; a run does so too"
        )
        return
    verified_bytes(settings.golden_file, pointer.md5)
    yield ok("golden set", f"{settings.golden} is the file its pointer pins ({pointer.md5[:8]})")
    if pointer.remark:
        yield warn("golden set", pointer.remark, f"commit {settings.golden}.dvc, so that the set is frozen")


def _contract(settings: Settings) -> Iterator[Check]:
    from pytest_mlgates import contract

    place = contract.place_of(settings.golden_file)
    wanted = "golden_contract" in asked(settings).asked
    if place.is_file() or wanted:
        found = contract.load(settings.golden_file)
        yield ok("contract", f"{place.name}: {len(found.columns)} columns")


def _lock(settings: Settings) -> Iterator[Check]:
    from pytest_mlgates.lock import read_lock

    place = settings.env_lock.serving
    if not place or place.startswith(("http://", "https://")):
        return
    file = settings.base / place
    if not file.is_file():
        yield fail("lock", f"there is no file {file}", "correct serving in [tool.mlgates.env_lock]")
        return
    read_lock(file.read_text(encoding="utf-8"), place)
    yield ok("lock", f"{place} can be read")

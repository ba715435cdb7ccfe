"""Which gates must pass: fixed from the settings before anything is collected."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pytest_mlgates.errors import UsageError
from pytest_mlgates.settings import Settings

#: The gates of the main job, by task.
CORE: Mapping[str, tuple[str, ...]] = {
    "binary": ("golden_integrity", "is_new", "golden_regression", "bootstrap_auc"),
    "multiclass": ("golden_integrity", "is_new", "golden_regression"),
    "regression": ("golden_integrity", "is_new", "golden_regression"),
}

#: What "default" asks for beyond "core". Of several classes one often gives itself away honestly, so there the golden
#: set's validity is asked for by name.
BEYOND_CORE: Mapping[str, tuple[str, ...]] = {
    "binary": ("golden_validity", "slices"),
    "multiclass": ("slices",),
    "regression": ("golden_validity", "slices"),
}

#: The gates of a drill.
DRILL = ("golden_integrity", "rollback_drill")

#: The gates of the phase live that need nothing but a metrics server, and the one that asks the live endpoint.
LIVE, LIVE_ENDPOINT = ("slo", "burn_rate"), ("golden_integrity", "canary")

#: Shipped gates without which nothing may be loaded, so that a run of one's own files brings them along.
IDENTITY = ("golden_integrity", "lineage", "artifact_safety", "env_lock")

KEY_OF_PHASE: Mapping[str, str] = {"promotion": "gates", "live": "gates_live", "drill": "gates_drill"}

#: These can be waived with a reason, but never just left out.
INDISPENSABLE = ("golden_integrity", "golden_regression")


@dataclass(frozen=True, slots=True)
class Required:
    """`names` must be proven; `waived` run and are shown but do not count; `unasked` shipped gates do not run."""

    names: tuple[str, ...]
    waived: Mapping[str, str]
    unasked: tuple[str, ...]
    expired: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        return (*self.names, *self.waived)


def required_gates(settings: Settings, shipped: Collection[str], today: datetime.date) -> Required:
    """The required set for the phase of `settings`; `shipped` are the gates this package brings for it.

    Raises UsageError when the list is empty, names a gate twice, leaves out an indispensable gate,
    or a waiver names a gate that is not asked for.
    """
    listed = _listed(settings, settings.phase)
    key = KEY_OF_PHASE[settings.phase]
    place = settings.origin(key)
    if not listed:
        raise UsageError(
            f"{key} ({place}) is empty: nothing asked is nothing proven; "
            + (
                'write gates = "default"'
                if key == "gates"
                else f"name the gates that phase {settings.phase!r} must pass"
            )
        )
    for name in listed:
        if listed.count(name) > 1:
            raise UsageError(f"{key} in {place} names {name!r} twice")
    waivers = {waiver.gate: waiver for waiver in settings.waivers}
    if settings.phase == "promotion":
        for name in INDISPENSABLE:
            if name not in listed:
                raise UsageError(
                    f"gates in {place} leaves out {name!r}, which can be waived but not left out: add it, "
                    f'or add it and write [[tool.mlgates.waivers]] gate = "{name}", reason = "..."'
                )
    # A waiver for the gates of one phase must not keep the others from being judged.
    anywhere = {name for phase in KEY_OF_PHASE for name in _listed(settings, phase)}
    for name in waivers:
        if name not in anywhere:
            raise UsageError(f"a waiver names the gate {name!r}, which {key} in {place} does not list")
    here = {name: waiver for name, waiver in waivers.items() if name in listed}
    active = {name: waiver.reason for name, waiver in here.items() if waiver.active(today)}
    return Required(
        names=tuple(name for name in listed if name not in active),
        waived=active,
        unasked=tuple(sorted(name for name in shipped if name not in listed)),
        expired=tuple(name for name in here if name not in active),
    )


def _listed(settings: Settings, phase: str) -> list[str]:
    names: list[str] = []
    for name in getattr(settings, KEY_OF_PHASE[phase]):
        names += _listed_as(name, settings, phase) if name in ("core", "default") else [name]
    if phase == "live":
        return names or list(_live(settings))
    return names or (list(DRILL) if phase == "drill" and settings.cluster else [])


def _listed_as(name: str, settings: Settings, phase: str) -> tuple[str, ...]:
    """The gates that "core" or "default" stands for."""
    if phase == "drill":
        return DRILL
    if phase == "live":
        return _live(settings)
    beyond = BEYOND_CORE[settings.task] if name == "default" else ()
    # Where a promotion moves a workload, the way back must have been tried lately.
    return (*CORE[settings.task], *beyond, *(["drill_freshness"] if settings.cluster else []))


def _live(settings: Settings) -> tuple[str, ...]:
    """What can be asked of what serves: metrics where a server is named, the endpoint where a URL is."""
    asked = LIVE if settings.prometheus.url else ()
    return (*LIVE_ENDPOINT, *asked) if settings.endpoint.champion_url else asked

"""What a test's markers say of the gate it is. Wrong names and values are usage errors that show the fix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pytest

from pytest_mlgates import policy
from pytest_mlgates.errors import UsageError
from pytest_mlgates.settings import Settings
from pytest_mlgates.tiers import Tier
from pytest_mlgates.validation import did_you_mean, read

_KEYWORDS = ("stage", "phase", "timing", "tier")


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A gate's identity is its name, never its node id; `place` is for messages. `tier` is what a failure leads to in
    the phase live: the machine acts, a person is asked, or it is reviewed.
    """

    name: str
    kind: str
    stage: str
    phase: str
    timing: bool
    place: str
    policy: policy.Policy
    tier: str = "ask"

    def record(self) -> dict[str, Any]:
        """The plain part that travels to the controller."""
        fields = asdict(self)
        fields["policy"] = self.policy.model_dump(mode="json")
        return fields


def spec_of(item: pytest.Item, settings: Settings) -> GateSpec | None:
    """The gate that `item` is, or None for an ordinary test. Raises UsageError."""
    plain = item.get_closest_marker("mlgate")
    kinds = [marker for marker in item.iter_markers() if marker.name in policy.KINDS]
    if plain is None and not kinds:
        return None
    place = f"the marker of {item.nodeid}"
    names = {marker.name for marker in kinds}
    if len(names) > 1:
        raise UsageError(f"{place}: a gate is of one kind, not {' and '.join(sorted(names))}")
    kind = kinds[0].name if kinds else ""
    words = _keywords(plain, place)
    phase = policy.PHASE_OF_KIND.get(kind, "live" if kind in policy.LIVE_TOO and settings.phase == "live" else None)
    own = _policy(kinds[0], settings, place) if kinds else policy.Plain()
    return GateSpec(
        name=_name(plain, kind, place),
        kind=kind,
        stage=_one_of(policy.STAGES, words.get("stage", policy.STAGE_OF_KIND.get(kind, "quality")), "stage", place),
        phase=_one_of(policy.PHASES, words.get("phase", phase or "promotion"), "phase", place),
        timing=bool(words.get("timing", kind in policy.TIMING_KINDS)),
        place=item.nodeid,
        policy=own,
        tier=_one_of(tuple(Tier), words.get("tier", getattr(own, "tier", Tier.ASK)), "tier", place),
    )


def _name(plain: pytest.Mark | None, kind: str, place: str) -> str:
    if plain is None:
        return kind
    if len(plain.args) > 1 or not all(isinstance(arg, str) and arg for arg in plain.args):
        raise UsageError(f'{place} must give one name, e.g. @pytest.mark.mlgate("calibration"), not {plain.args!r}')
    if not plain.args and not kind:
        raise UsageError(f'{place} gives no name: write e.g. @pytest.mark.mlgate("calibration")')
    return str(plain.args[0]) if plain.args else kind


def _keywords(plain: pytest.Mark | None, place: str) -> dict[str, Any]:
    words = dict(plain.kwargs) if plain else {}
    for word in words:
        if word not in _KEYWORDS:
            raise UsageError(f"{place} has an unknown keyword {word!r}: {did_you_mean(word, _KEYWORDS)}")
    return words


def _one_of(known: tuple[str, ...], given: Any, what: str, place: str) -> str:
    if given not in known:
        raise UsageError(f"{place}: {what} {given!r} is none of {', '.join(known)}")
    return str(given)


def _policy(marker: pytest.Mark, settings: Settings, place: str) -> policy.Policy:
    if marker.args:
        raise UsageError(f"{place}: @pytest.mark.{marker.name} takes keywords only, not {marker.args!r}")
    from_settings = settings.policy_of(marker.name)
    if not marker.kwargs:
        return from_settings
    return read(policy.KINDS[marker.name], {**from_settings.model_dump(), **marker.kwargs}, {}, place)

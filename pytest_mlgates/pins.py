"""What one run judges, resolved once on the controller and the same for every worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_mlgates import fingerprint
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.live.guard import Past
from pytest_mlgates.origin.lineage import Part
from pytest_mlgates.ports import GoldenStore, Pointer, Registry, Version
from pytest_mlgates.settings import Settings


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """One version, the reference that named it, where its files are, and their digest; `seen` is the digest that they
    had when the ledger first recorded it, in entry `seen_in` ("" and 0 where no entry does).
    """

    version: Version
    reference: str
    files: str
    digest: str
    seen: str = ""
    seen_in: int = 0

    def __str__(self) -> str:
        return f"{self.version.model} {self.version}"


@dataclass(frozen=True, slots=True)
class Pins:
    """`problem` and `golden_problem` say why a part could not be had; every gate that needs it is then ERROR.

    `nothing` says why there is nothing to judge: the challenger is the champion already. `lineage` is what became of
    the facts its origin rests on, where the gate `lineage` is asked for. `first` is the golden set's first champion
    where that is another than the present one, `first_problem` why it could not be had. `drill` is when the last
    drill on record was, and what came of it. `past` is what the ledger says of the champion that is watched,
    `former` the one before it, or why that cannot be had.
    """

    champion: PinnedModel | None = None
    challenger: PinnedModel | None = None
    golden: Pointer | None = None
    problem: str = ""
    golden_problem: str = ""
    nothing: str = ""
    lineage: tuple[Part, ...] = ()
    first: PinnedModel | None = None
    first_problem: str = ""
    drill: tuple[str, str] = ("", "")
    past: Past = field(default_factory=Past)
    former: PinnedModel | None = None
    former_problem: str = ""

    @property
    def subject(self) -> PinnedModel | None:
        """Whose evidence identity gates give: the challenger, or the champion when that alone is judged."""
        return self.challenger or self.champion

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Pins:
        data = json.loads(text)
        golden = data.pop("golden")
        return cls(
            lineage=tuple(Part(**part) for part in data.pop("lineage")),
            drill=tuple(data.pop("drill")),
            past=Past(**data.pop("past")),
            former=_model(data.pop("former")),
            champion=_model(data.pop("champion")),
            first=_model(data.pop("first")),
            challenger=_model(data.pop("challenger")),
            golden=Pointer(**{**golden, "file": Path(golden["file"])}) if golden else None,
            **data,
        )


def pin(settings: Settings, registry: Registry, store: GoldenStore) -> Pins:
    """Look up what the settings name. Raises UsageError for a model or challenger that does not exist."""
    try:
        champion = registry.find(settings.champion)
        if settings.phase == "live" and champion is None:
            raise UsageError(f"{settings.model} has no champion ({settings.champion!r}) that could be watched")
        challenger = registry.find(settings.challenger) if settings.phase == "promotion" else None
        if settings.phase == "promotion" and challenger is None:
            known = ", ".join(registry.references()) or "none"
            raise UsageError(
                f"no challenger: {settings.model} has no version {settings.challenger!r} "
                f"({settings.origin('challenger')}); it has: {known}"
            )
        nothing = _nothing(settings, champion, challenger)
        if nothing:
            return Pins(nothing=nothing)
        pins = Pins(
            champion=_pinned(registry, champion, settings.champion) if champion else None,
            challenger=_pinned(registry, challenger, settings.challenger) if challenger else None,
        )
    except CouldNotEvaluate as problem:
        return Pins(problem=str(problem))
    try:
        pointer = store.pointer()
        store.ensure(pointer)
        return replace(pins, golden=pointer)
    except CouldNotEvaluate as problem:
        return replace(pins, golden_problem=str(problem))


def with_first_sight(pins: Pins, first_sight: Callable[[str], tuple[str, int]]) -> Pins:
    """`pins` with what the ledger says of their files: `first_sight` gives digest and entry of a version number."""

    def seen(one: PinnedModel | None) -> PinnedModel | None:
        if one is None:
            return None
        digest, entry = first_sight(one.version.number)
        return replace(one, seen=digest, seen_in=entry)

    return replace(pins, champion=seen(pins.champion), challenger=seen(pins.challenger), first=seen(pins.first))


def with_first_champion(pins: Pins, registry: Registry, number: str, recorded: str) -> Pins:
    """`pins` with version `number` as the golden set's first champion, unless that is the present one; `recorded` is
    the digest that the ledger has of its files, or "".
    """
    if pins.champion is None or number in ("", pins.champion.version.number):
        return pins
    try:
        version = registry.find(number)
        if version is None:
            raise CouldNotEvaluate("it is no longer in the registry")
        first = _pinned(registry, version, number)
    except (CouldNotEvaluate, UsageError) as problem:
        return replace(pins, first_problem=_without_first(pins.champion.version.model, number, str(problem)))
    if recorded and first.digest != recorded:
        why = "its files were changed since the ledger recorded them"
        return replace(pins, first_problem=_without_first(version.model, number, why))
    return pins if first.digest == pins.champion.digest else replace(pins, first=first)


def with_former(pins: Pins, registry: Registry, known: Sequence[tuple[str, str]]) -> Pins:
    """`pins` with the nearest version that served before and can still be had. `known` are their numbers, each with the
    digest that the ledger has of its files, or "".
    """
    troubles = []
    for number, recorded in known:
        try:
            version = registry.find(number)
            if version is None:
                raise CouldNotEvaluate("it is no longer in the registry")
            former = _pinned(registry, version, number)
            if recorded not in ("", former.digest):
                raise CouldNotEvaluate("its files were changed since the ledger recorded them")
            return replace(pins, former=former)
        except (CouldNotEvaluate, UsageError) as problem:
            troubles.append(f"v{number}: {problem}")
    return replace(pins, former_problem="; ".join(troubles) or "no other version is known to have served before it")


def _without_first(model: str, number: str, why: str) -> str:
    return (
        f"the golden set's first champion, {model} v{number}, cannot be compared with: {why}. Restore it, refresh the "
        'golden set, or set anchor = "off" in [tool.mlgates.golden_regression]'
    )


def _nothing(settings: Settings, champion: Version | None, challenger: Version | None) -> str:
    """An alias that already means the champion asks for nothing; a version named by number is judged all the same."""
    if champion is None or challenger is None:
        return ""
    by_number = settings.challenger.isdigit() or "/" in settings.challenger
    if by_number or champion.number != challenger.number:
        return ""
    return f"nothing to promote: {settings.challenger!r} is {settings.model} {challenger}, which is champion already"


def _pinned(registry: Registry, version: Version, reference: str) -> PinnedModel:
    files = registry.files(version)
    try:
        digest = fingerprint.of_folder(files)
    except OSError as problem:
        raise CouldNotEvaluate(f"the files of {version} in {files} cannot be read: {problem.strerror}") from None
    return PinnedModel(version, reference, str(files), digest)


def _model(data: Any) -> PinnedModel | None:
    return PinnedModel(**{**data, "version": Version(**data["version"])}) if data else None

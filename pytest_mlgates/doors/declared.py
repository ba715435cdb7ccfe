"""What is declared of a model, opened as the settings say, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates import manifest as manifests
from pytest_mlgates.baseline.document import FILE, Baseline
from pytest_mlgates.baseline.reference import open_reference
from pytest_mlgates.behaviour.over_http import asked
from pytest_mlgates.doors.outside import registry_uri
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.manifest import Manifest
from pytest_mlgates.measure.behaviour import Answering
from pytest_mlgates.model import Model
from pytest_mlgates.pins import Pins
from pytest_mlgates.ports import Rows, Said
from pytest_mlgates.settings import Settings

#: `baseline = "kept"` is the one kept with the model's run.
KEPT = "kept"


def manifest_of(settings: Settings) -> Manifest | None:
    """The manifest that the settings name, or None without one. Raises UsageError, CouldNotEvaluate."""
    found = manifests.load(settings.base / settings.manifest.file)
    if found is not None and found.model not in ("", settings.model):
        raise CouldNotEvaluate(
            f"{settings.manifest.file} is the manifest of {found.model!r}, and {settings.model!r} is judged: name its "
            "own in [tool.mlgates.manifest] file"
        )
    return found


def baseline_of(where: str, settings: Settings, pins: Pins, environ: Mapping[str, str]) -> Baseline | None:
    """The baseline at `where`, a file or "kept"; None for "". Raises CouldNotEvaluate, UsageError."""
    if not where:
        return None
    if pins.problem or pins.subject is None:
        raise CouldNotEvaluate(pins.problem or "no version was pinned")
    version = pins.subject.version

    def kept() -> str | None:
        from pytest_mlgates.adapters.mlflow.artifacts import RunTexts

        return RunTexts(registry_uri(settings, environ)).read(version.run_id, FILE) if version.run_id else None

    place = "" if where == KEPT else where
    if place and Path(place).suffix != ".json":
        raise CouldNotEvaluate(f"baseline = {place!r} in [tool.mlgates.behaviour] must be a .json file, or {KEPT!r}")
    reference = open_reference(place, settings.base, "arrow", 60.0, f"{version.model} {version}", kept)
    return reference.baseline


def the_model(model: Model, within: float) -> Answering:
    """The model itself, in a process of its own; each question has so many seconds."""

    def ask(asks: Sequence[Rows]) -> list[Said]:
        return model.ask(*asks, within=within)

    return Answering(str(model.pinned), ask)


def over_http(endpoint: Any) -> Answering:
    """An endpoint that is ready."""
    return Answering(endpoint.name, lambda asks: asked(endpoint, asks), infinite=False)

"""Opens the two sides that the skew gate compares: the live sample, and what the model was taught on."""

from __future__ import annotations

import os

from pytest_mlgates.baseline.document import FILE
from pytest_mlgates.baseline.reference import Reference, open_reference
from pytest_mlgates.doors.outside import registry_uri
from pytest_mlgates.engine.port import Table
from pytest_mlgates.engine.source import open_table, written
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.pins import Pins
from pytest_mlgates.policy import Skew
from pytest_mlgates.settings import Settings


def open_windows(settings: Settings, policy: Skew, pins: Pins) -> tuple[Reference, Table]:
    """(reference, live sample). Raises UsageError without `sample`, CouldNotEvaluate when a side cannot be had."""
    if not policy.sample:
        raise UsageError(
            '[tool.mlgates.skew] needs sample = "data/live.parquet": what the model receives live (a Parquet file or '
            "folder, a CSV file, or a database's URL)"
        )
    if pins.problem or pins.subject is None:
        raise CouldNotEvaluate(pins.problem or "no version was pinned")
    version = pins.subject.version

    def kept() -> str | None:
        from pytest_mlgates.adapters.mlflow.artifacts import RunTexts

        if not version.run_id:
            return None
        return RunTexts(registry_uri(settings, os.environ)).read(version.run_id, FILE)

    name = f"{version.model} {version}"
    place = "[tool.mlgates.skew]"
    at = {key: written(getattr(policy, key), f"{place} {key}") for key in ("sample", "baseline")}
    reference = open_reference(at["baseline"], settings.base, policy.engine, policy.timeout, name, kept)
    sample = open_table(
        at["sample"],
        settings.base,
        what="the live sample",
        engine=policy.engine,
        table=policy.table,
        query=policy.query,
        timeout=policy.timeout,
    )
    return reference, sample

"""The figures of `skew`, each with who decides what follows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine.port import Table
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.skew.sample import skew
from pytest_mlgates.policy import LiveSkew


def live_skew(reference: Reference, sample: Table, policy: LiveSkew, reserved: Collection[str]) -> Iterator[Evidence]:
    """What broke suddenly is a person's to decide, what drifts is for review. Raises as `skew`."""
    for evidence in skew(reference, sample, policy, reserved):
        tier = "ask" if evidence.details.get("sudden") else "review"
        yield replace(evidence, details={**evidence.details, "tier": tier})

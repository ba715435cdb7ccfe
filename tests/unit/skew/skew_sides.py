"""Tables for the skew tests, and the gate's own rule."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pytest_mlgates import shipped
from pytest_mlgates.baseline.document import Baseline
from pytest_mlgates.baseline.make import make
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.demo.data import SURVEY
from pytest_mlgates.engine.arrow import ArrowTable
from pytest_mlgates.engine.parts import MemoryParts
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.skew.sample import skew
from pytest_mlgates.policy import Skew
from pytest_mlgates.verdict import Finding

#: What the demo's models do not receive.
RESERVED = ("id", "year", "employed")


def table(name: str = "a table", **columns: Any) -> ArrowTable:
    return ArrowTable(MemoryParts(pa.table(columns), name))


def of_frame(frame: pd.DataFrame, name: str = "a table") -> ArrowTable:
    return ArrowTable(MemoryParts(pa.Table.from_pandas(frame, preserve_index=False), name))


def baseline(name: str = "training", **columns: Any) -> Baseline:
    return make(table(name, **columns))


def survey(year: int) -> pd.DataFrame:
    people = pd.read_parquet(SURVEY)
    return people[people.year == year].reset_index(drop=True)


def judged(
    reference: Reference | Baseline, sample: ArrowTable, *, reserved: tuple[str, ...] = RESERVED, **policy: Any
) -> dict[str, Finding]:
    """The worst that the gate says of each feature, and of the one that moved most under "all"."""
    asked = Skew(**policy)
    reference = Reference(baseline=reference) if isinstance(reference, Baseline) else reference
    rule = gate().as_in_training(asked)
    evidence = skew(reference, sample, asked, reserved)
    found: dict[str, Finding] = {}
    for one in evidence:
        finding = rule(one)
        found[_key(one)] = max(found.get(_key(one), finding), finding, key=lambda known: known.verdict)
    return found


def evidence_of(reference: Reference | Baseline, sample: ArrowTable, **policy: Any) -> Evidence:
    """The last one, with the figures of every feature."""
    reference = Reference(baseline=reference) if isinstance(reference, Baseline) else reference
    return skew(reference, sample, Skew(**policy), RESERVED)[-1]


def _key(evidence: Evidence) -> str:
    return "all" if evidence.measure == "largest psi" else evidence.where


def gate() -> ModuleType:
    file: Path = shipped.gate_files()["skew"]
    spec = importlib.util.spec_from_file_location("shipped_skew", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def normal(rows: int, seed: int, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sd, rows)

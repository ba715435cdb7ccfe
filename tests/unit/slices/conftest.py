"""Golden sets and models with known harm, without a registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.settings import Settings


@dataclass
class FakeModel:
    """Answers what it was given, whatever the rows."""

    answers: np.ndarray
    threshold: float = 0.5

    def scores(self, rows: Any) -> np.ndarray:
        return self.answers


def golden_of(frame: pd.DataFrame, y: np.ndarray, task: str = "binary", **parts: Any) -> GoldenSet:
    classes = () if task == "regression" else tuple(np.unique(y).tolist())
    sensitive = parts.pop("sensitive", frame[[]])
    weight, group = parts.pop("weight", None), parts.pop("group", None)
    return GoldenSet(frame, y, sensitive, weight, group, "md5", Path("golden.csv"), classes)


@pytest.fixture
def settings() -> Callable[..., Settings]:
    def make(task: str = "binary", **more: Any) -> Settings:
        return Settings(model="m", golden="golden.csv", label="y", task=task, **more)

    return make


@pytest.fixture
def people() -> pd.DataFrame:
    """2,000 people: region north or south, age 20 to 79, and a column of noise."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "region": rng.choice(["north", "south"], 2000),
            "age": rng.integers(20, 80, 2000),
            "noise": rng.normal(size=2000),
        }
    )


@pytest.fixture
def judged(people: pd.DataFrame) -> Callable[..., tuple[GoldenSet, FakeModel, FakeModel]]:
    """(golden set, champion, challenger): AUC .80 both, but the challenger ranks by chance where `harmed` holds."""

    def make(
        harmed: np.ndarray | None = None, *, seed: int = 0, **parts: Any
    ) -> tuple[GoldenSet, FakeModel, FakeModel]:
        rng = np.random.default_rng(seed)
        n = len(people)
        y = np.arange(n) % 2
        first = rng.normal(size=n) + NormalDist().inv_cdf(0.8) * 2**0.5 * y
        second = first + 0.2 * rng.normal(size=n)
        if harmed is not None:
            second = np.where(harmed, rng.normal(size=n), second)
        return golden_of(people, y, **parts), FakeModel(first), FakeModel(second)

    return make

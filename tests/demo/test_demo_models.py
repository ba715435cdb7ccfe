"""The three versions compare on the golden set as the demo's text claims."""

from __future__ import annotations

from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

Scores = dict[str, NDArray[np.float64]]
NOT_A_FEATURE = ["id", "year", "employed"]


@pytest.fixture(scope="module")
def golden(demo: Path) -> pd.DataFrame:
    return pd.read_parquet(demo / "data" / "golden.parquet")


@pytest.fixture(scope="module")
def scores(demo: Path, golden: pd.DataFrame) -> Scores:
    """Read through the files that each version's run logged, so that no global MLflow setting is changed."""
    registry = mlflow.MlflowClient(f"sqlite:///{demo / 'mlflow.db'}")
    found = {}
    for number in "123":
        folder = registry.get_model_version_download_uri("employment", number)
        model = mlflow.sklearn.load_model(folder)
        found[number] = model.predict_proba(golden.drop(columns=NOT_A_FEATURE))[:, 1]
    return found


def auc(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> float:
    positives = labels == 1
    n1, n0 = positives.sum(), (~positives).sum()
    return float((rankdata(scores)[positives].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def gain(golden: pd.DataFrame, scores: Scores, new: str, old: str) -> tuple[float, float, float]:
    """AUC of `new` minus that of `old`, with the one-sided 95 % bounds of a paired bootstrap."""
    labels = golden["employed"].to_numpy()
    random = np.random.default_rng(2017)
    draws = []
    for _ in range(500):
        rows = random.integers(0, len(labels), len(labels))
        draws.append(auc(labels[rows], scores[new][rows]) - auc(labels[rows], scores[old][rows]))
    low, high = np.quantile(draws, [0.05, 0.95])
    return auc(labels, scores[new]) - auc(labels, scores[old]), float(low), float(high)


def test_the_challenger_is_proven_better(golden: pd.DataFrame, scores: Scores) -> None:
    _, low, _ = gain(golden, scores, "2", "1")
    assert low > 0.005


@pytest.mark.parametrize("champion", ["1", "2"])
def test_the_third_is_proven_worse_than_whoever_is_champion(
    golden: pd.DataFrame, scores: Scores, champion: str
) -> None:
    _, _, high = gain(golden, scores, "3", champion)
    assert high < -0.005


def test_the_third_is_only_subtly_worse_than_the_first(golden: pd.DataFrame, scores: Scores) -> None:
    point, _, _ = gain(golden, scores, "3", "1")
    assert -0.02 < point < -0.005


def test_the_third_looks_good_on_the_people_it_was_taught_on(golden: pd.DataFrame, scores: Scores) -> None:
    rows = golden["AGEP"].between(16, 60).to_numpy()
    labels = golden["employed"].to_numpy()[rows]
    assert auc(labels, scores["3"][rows]) - auc(labels, scores["1"][rows]) > 0.05

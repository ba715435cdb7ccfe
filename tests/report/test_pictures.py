"""The numbers behind the pictures of two models: few, and true to the scores they stand for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.measure.pictures import BINS, POINTS, curves, spread
from pytest_mlgates.stats.delong import single_auc

SCORES = st.integers(0, 2**32 - 1)


def drawn(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,), both classes in them, and scores (n,) with ties."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    return y, (y * 0.4 + rng.normal(size=n)).round(1)


@given(SCORES)
def test_the_area_under_the_thinned_curve_is_the_auc(seed: int) -> None:
    y, scores = drawn(seed)
    curve = curves(y, {"challenger": scores})["challenger"]
    area = (
        np.trapezoid(curve["tpr"], curve["fpr"]) if hasattr(np, "trapezoid") else np.trapz(curve["tpr"], curve["fpr"])
    )
    assert area == pytest.approx(single_auc(y, scores).auc, abs=0.01)
    assert len(curve["fpr"]) == len(curve["tpr"]) <= POINTS + 1
    for rates in curve.values():
        assert rates[0] == 0
        assert rates[-1] == 1
        assert rates == sorted(rates)


@given(SCORES)
def test_every_row_is_in_one_bin_of_its_class(seed: int) -> None:
    y, scores = drawn(seed)
    held = spread(y, {"challenger": scores, "champion": scores - 5})
    assert len(held["edges"]) == BINS + 1
    for role in ("challenger", "champion"):
        assert sum(held[role]["positive"]) == y.sum()
        assert sum(held[role]["negative"]) == len(y) - y.sum()


def test_probabilities_are_shown_over_their_whole_range() -> None:
    y, _ = drawn(0)
    held = spread(y, {"challenger": np.full(400, 0.5)})
    assert (held["edges"][0], held["edges"][-1]) == (0.0, 1.0)


def test_constant_scores_have_a_picture_too() -> None:
    y, _ = drawn(0)
    scores = np.full(400, 7.0)
    assert curves(y, {"a": scores})["a"] == {"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}
    assert sum(spread(y, {"a": scores})["a"]["positive"]) == y.sum()


def test_it_is_some_tens_of_numbers() -> None:
    y, scores = drawn(0, 100_000)
    both = {"challenger": scores, "champion": -scores}
    assert len(json.dumps({"roc": curves(y, both), "scores": spread(y, both)})) < 8_000

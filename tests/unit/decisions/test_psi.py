"""One feature of the reference against one of the sample."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlgates.measure.skew.psi import histograms, stability
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

RNG = np.random.default_rng(2)


def verdict(reference: np.ndarray, sample: np.ndarray) -> Verdict:
    return at_most(0.2)(stability(reference, sample, feature="x")).verdict


def test_bins_are_the_deciles_of_the_reference() -> None:
    before, now = histograms(np.arange(1000.0), np.full(50, 999.0))
    assert before.tolist() == [100] * 10
    assert now.tolist() == [0] * 9 + [50]


def test_missing_and_repeated_values_have_bins_of_their_own() -> None:
    reference = np.concatenate([np.zeros(600), np.arange(1.0, 301.0), np.full(100, np.nan)])
    before, now = histograms(reference, np.array([0.0, np.nan, np.nan, 1000.0]))
    assert before[-1] == 100 and now[-1] == 2
    assert before.sum() == 1000 and now.sum() == 4
    words, same = histograms(np.array(["a", "b", "a", "c"]), np.array(["a", "d"]))
    assert (words.tolist(), same.tolist()) == ([2, 1, 1, 0], [1, 0, 0, 1])
    full, empty = histograms(np.array([f"w{i % 40}" for i in range(400)]), np.array(["w1"]))
    assert len(full) == 21 and full.sum() == 400 and empty.sum() == 1


def test_equal_pass_moved_fails_and_few_rows_cannot_tell() -> None:
    base = RNG.normal(size=3000)
    assert verdict(base[:1500], base[1500:]) is Verdict.PASS
    assert verdict(base[:1500], base[1500:] + 1) is Verdict.FAIL
    assert verdict(base[:60], base[60:120]) is Verdict.INCONCLUSIVE
    assert verdict(base[:60], base[60:120] + 2) is Verdict.FAIL, "few rows can prove a large shift"
    assert verdict(np.array([]), base) is Verdict.INCONCLUSIVE
    assert verdict(np.full(2000, 3.0), np.full(2000, 3.0)) is Verdict.PASS


def test_the_figure_is_unbiased_where_the_usual_one_is_not() -> None:
    pairs = [RNG.normal(size=(2, 300)) for _ in range(200)]
    made = [stability(*pair, feature="x") for pair in pairs]
    assert np.mean([e.details["raw"] - e.details["bias"] for e in made]) == pytest.approx(0, abs=0.005)
    assert np.mean([e.details["raw"] for e in made]) > 0.05

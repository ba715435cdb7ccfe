"""Slices that nobody declared."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.slices.judged import slice_gains
from pytest_mlgates.measure.slices.search import found_slices, row_changes, search_half
from pytest_mlgates.policy import Slices

from .conftest import golden_of


def test_the_harmed_part_is_found_and_named(judged, people, settings) -> None:
    golden, champion, challenger = judged((people.region == "south").to_numpy() & (people.age < 40).to_numpy())
    found = slice_gains(golden, champion, challenger, Slices(), settings())
    worst = found.harmed[0].where
    assert "age<=39.5" in worst and "region" in worst and worst.endswith("(found)")


def test_what_is_found_is_tested_on_the_other_half_only(judged, people) -> None:
    golden, champion, challenger = judged((people.age < 40).to_numpy())
    change = row_changes("binary", golden.y, champion.answers, challenger.answers)
    slices = found_slices(golden, change, most=3, seed=0)
    searched = search_half(golden.y, None, 0, classes=True)
    assert slices and not any((part.rows & searched).any() for part in slices)


def test_looking_for_slices_costs_no_false_alarms(judged, settings) -> None:
    """200 equal challengers; tested on the rows they were found on, the same leaves fail 152 of them."""
    alarms = 0
    for seed in range(200):
        golden, champion, challenger = judged(seed=seed)
        rng = np.random.default_rng(seed + 999)
        champion.answers, challenger.answers = (champion.answers + rng.normal(size=2000) for _ in range(2))
        alarms += slice_gains(golden, champion, challenger, Slices(), settings()).summary.value == 0
    assert alarms <= 20  # 5 % is 10 of 200; above 20 has chance .001


def test_the_halves_are_seeded_and_balanced_and_keep_groups_whole() -> None:
    y = np.arange(1000) % 10 == 0
    half = search_half(y, None, 4, classes=True)
    assert (half & y).sum() == 50 and half.sum() == 500
    assert np.array_equal(half, search_half(y, None, 4, classes=True))
    assert not np.array_equal(half, search_half(y, None, 5, classes=True))
    group = np.arange(1000) // 4
    grouped = search_half(y, group, 0, classes=True)
    assert all(len(set(grouped[group == g])) == 1 for g in range(250))


def test_equal_rows_find_nothing_and_tiny_sets_cannot_be_searched(people) -> None:
    golden = golden_of(people, np.arange(2000) % 2)
    assert found_slices(golden, np.zeros(2000), most=3, seed=0) == []
    tiny = golden_of(people[:60], np.arange(60) % 2)
    assert found_slices(tiny, np.random.default_rng(0).normal(size=60), most=3, seed=0) is None
    assert found_slices(golden_of(people[[]], golden.y), np.zeros(2000), most=3, seed=0) is None


def test_only_leaves_that_can_be_tested_are_found(people) -> None:
    """Of the worst leaf's rows hardly any is positive, so the next one is named."""
    old = (people.age >= 60).to_numpy()
    y = np.where(old, np.arange(2000) % 200 == 0, np.arange(2000) % 2)
    change = np.where(old, -2.0, np.where(people.age < 40, -1.0, 0.5))
    slices = found_slices(golden_of(people, y), change, most=3, seed=0)
    assert slices and all(min(np.bincount(y[part.rows].astype(int))) >= 10 for part in slices)
    assert not any("age>59" in part.name for part in slices)


def test_missing_numbers_and_dates_do_not_stop_the_search(people) -> None:
    people["age"] = people.age.astype(float).where(people.age > 25)
    people["seen"] = pd.Timestamp("2026-01-01")
    change = -(people.noise > 0).to_numpy(float)
    slices = found_slices(golden_of(people, np.arange(2000) % 2), change, most=1, seed=0)
    assert slices[0].name.startswith("noise>") and slices[0].name.endswith("(found)")


def test_changes_are_losses_in_the_metrics_own_sense() -> None:
    regression = row_changes("regression", np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0.0, 3.0]))
    assert regression.tolist() == [1.0, -2.0]
    first, second = np.array([[0.6, 0.4], [0.5, 0.5]]), np.array([[0.7, 0.3], [0.9, 0.1]])
    assert row_changes("multiclass", np.array([0, 1]), first, second) == pytest.approx([0.1, -0.4])
    chosen = row_changes("multiclass", np.array([0, 1, 2]), np.array([0, 0, 2]), np.array([1, 1, 2]))
    assert chosen.tolist() == [-1.0, 1.0, 0.0]
    binary = row_changes("binary", np.array([0, 1, 1]), np.array([0.1, 0.5, 0.6]), np.array([0.55, 0.5, 0.6]))
    assert binary.tolist() == [-0.5, -1.0, 0.0]


def test_without_scikit_learn_the_sentence_says_what_to_do(people, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    with pytest.raises(CouldNotEvaluate, match=r"set found = 0 in \[tool.mlgates.slices\]"):
        found_slices(golden_of(people, np.arange(2000) % 2), np.ones(2000), most=1, seed=0)

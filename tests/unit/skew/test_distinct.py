"""Distinct values are counted exactly while they are few, and within two percent when they are many."""

from __future__ import annotations

import numpy as np
import pytest
from skew_sides import table

from pytest_mlgates.engine.arrow import ArrowTable
from pytest_mlgates.engine.counting import WordCount
from pytest_mlgates.stats.distinct import Distinct, hashed


def test_few_are_counted_exactly() -> None:
    seen = Distinct()
    for _ in range(3):
        seen.add(hashed(np.arange(1000.0)))
    assert seen.estimate() == 1000


def test_many_are_estimated_in_bounded_memory() -> None:
    seen = Distinct()
    for part in range(10):
        seen.add(hashed(np.arange(part * 100_000.0, (part + 1) * 100_000.0)))
    assert seen.estimate() == pytest.approx(1_000_000, rel=0.02)
    assert len(seen._kept) <= 65_536


def test_minus_zero_is_zero() -> None:
    assert (hashed(np.array([0.0])) == hashed(np.array([-0.0]))).all()


class TestWords:
    def counted(self, made: ArrowTable, most: int, keep: tuple[str, ...] = ()) -> WordCount:
        count = WordCount(most, keep)
        for array in made._parts.pieces("w"):
            if not count.add(array):
                break
        return count

    def test_the_frequent_ones_stay_and_the_rare_become_a_number(self) -> None:
        rng = np.random.default_rng(0)
        words = np.concatenate((np.repeat(["a", "b"], 200_000), rng.integers(0, 10_000, 400_000).astype(str)))
        rng.shuffle(words)
        found = self.counted(table(w=words), 1_000, keep=("7",)).result(len(words))
        assert found.counts["a"] == found.counts["b"] == 200_000
        assert "7" in found.counts
        assert len(found.counts) <= 1_001
        assert found.present == len(words)
        assert found.distinct == pytest.approx(10_002, rel=0.03)

    def test_a_column_that_tells_rows_apart_is_given_up_early(self) -> None:
        made = table(w=np.arange(600_000).astype(str))
        count = self.counted(made, 131_072)
        assert count._rows < 600_000
        assert count.result(600_000).unique

    def test_nulls_and_nan_are_no_words(self) -> None:
        found = self.counted(table(w=[1.0, 1.0, None, float("nan")]), 10).result(4)
        assert (dict(found.counts), found.nulls) == ({1.0: 2}, 2)

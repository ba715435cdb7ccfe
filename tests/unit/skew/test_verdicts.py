"""What the gate says: nothing of years that are alike, and exactly what was broken where something was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from skew_sides import RESERVED, baseline, evidence_of, judged, normal, of_frame, survey, table

from pytest_mlgates.baseline.document import Baseline
from pytest_mlgates.baseline.make import make
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.verdict import Verdict

FAIL, PASS, INCONCLUSIVE = Verdict.FAIL, Verdict.PASS, Verdict.INCONCLUSIVE


@pytest.fixture(scope="module")
def of_2015() -> Baseline:
    return make(of_frame(survey(2015), "2015"), without=RESERVED)


class TestSurvey:
    @pytest.mark.parametrize("year", [2016, 2017, 2018])
    def test_later_years_are_like_2015(self, of_2015: Baseline, year: int) -> None:
        found = judged(of_2015, of_frame(survey(year)))
        assert list(found) == ["all"]
        assert found["all"].verdict is PASS
        largest = evidence_of(of_2015, of_frame(survey(year)))
        assert largest.value is not None and largest.value < 0.013

    def test_a_recoded_column_a_burst_of_nulls_and_a_constant_one_are_named(self, of_2015: Baseline) -> None:
        broken = survey(2017)
        broken["RAC1P"] = broken.RAC1P.replace({1: 2, 2: 1})
        broken["AGEP"] = broken.AGEP.where(np.random.default_rng(0).random(len(broken)) > 0.2)
        broken["MIG"] = 1
        found = judged(of_2015, of_frame(broken))
        assert set(found) == {"RAC1P", "AGEP", "MIG", "all"}
        assert {finding.verdict for finding in found.values()} == {FAIL}
        assert found["RAC1P"].sentence.startswith(
            "sudden [RAC1P]: the same frequencies belong to other values: recoded? (psi [RAC1P] 3.9"
        )
        assert found["AGEP"].sentence.startswith("sudden [AGEP]: 20.7% of the values are null, none in training (psi")
        assert found["MIG"].sentence.startswith("sudden [MIG]: every value is 1; in training at most 86.7% were (psi")

    def test_identifiers_are_left_out_and_said(self) -> None:
        with_id = make(of_frame(survey(2015), "2015"), without=RESERVED[1:])
        found = judged(with_id, of_frame(survey(2016)), reserved=RESERVED[1:])
        assert found["all"].sentence.endswith(
            "16 features against 2015 (6,000 rows); left out: id (nearly every row has a value of its own)"
        )


class TestSize:
    def test_a_shift_of_a_hundredth_of_a_deviation_in_a_million_rows_is_no_matter(self) -> None:
        reference = Reference(table=table("before", x=normal(1_000_000, 1)))
        sample = table("after", x=normal(1_000_000, 2, mean=0.01))
        assert judged(reference, sample)["all"].verdict is PASS
        figures = evidence_of(reference, sample).details["features"]["x"]
        assert figures["ks"] > 1.36 * np.sqrt(2 / 1_000_000), "the test that fails here is not the one that judges"
        assert figures["z_of_means"] > 3

    def test_an_index_of_a_half_in_a_thousand_rows_is(self) -> None:
        found = judged(baseline(x=normal(1_000, 1)), table(x=normal(1_000, 2, mean=0.72)))
        assert found["x"].verdict is FAIL

    def test_drift_is_called_gradual_and_its_watch_is_a_remark(self) -> None:
        before = baseline(x=normal(20_000, 1), y=normal(20_000, 3))
        found = judged(before, table(x=normal(20_000, 2, mean=0.55), y=normal(20_000, 4, mean=0.37)))
        assert found["x"].sentence.startswith("gradual: psi [x] 0.")
        assert found["y"].verdict is PASS
        assert found["y"].sentence.endswith(": proven <= 0.2; watch it: above 0.1")

    def test_beyond_drift_it_is_sudden(self) -> None:
        found = judged(baseline(x=normal(20_000, 1)), table(x=normal(20_000, 2, mean=1)))
        assert "sudden [x]: further than drift goes (0.5) (psi [x] " in found["x"].sentence

    def test_few_rows_prove_nothing_and_say_how_many_would(self) -> None:
        found = judged(baseline(x=normal(20_000, 1)), table(x=normal(60, 2, mean=0.3)))
        assert found["x"].verdict is INCONCLUSIVE
        assert found["x"].sentence.endswith(
            "the interval reaches across the limit <= 0.2; 60 rows on the smaller side; 1,000 are needed"
        )


def one_of(words: str, rows: int, seed: int, weights: Any = None) -> np.ndarray:
    return np.random.default_rng(seed).choice(list(words), rows, p=weights)


class TestBrokenPipelines:
    """Each is proven by a rule of its own where the index would be late, or silent."""

    def says(self, before: Any, now: Any, **policy: Any) -> str:
        found = judged(baseline(x=before), table(x=now), **policy)
        if "x" not in found:
            assert found["all"].verdict is PASS
            return ""
        assert found["x"].verdict is FAIL
        return found["x"].sentence

    def test_a_column_of_nulls(self) -> None:
        assert self.says(normal(2_000, 1), [None] * 2_000).startswith(
            "sudden [x]: all 2,000 values are null; in training none were"
        )

    def test_more_nulls_than_before(self) -> None:
        def holes(share: float, seed: int) -> Any:
            values = pd.Series(normal(10_000, seed))
            return values.where(np.random.default_rng(seed).random(10_000) > share).tolist()

        assert "15.4% of the values are null, 5.05% in training" in self.says(holes(0.05, 1), holes(0.15, 2))
        assert self.says(holes(0.05, 1), holes(0.07, 2)) == ""

    def test_one_value_everywhere(self) -> None:
        assert "every value is 0.5; in training at most" in self.says(normal(5_000, 1), [0.5] * 100)

    def test_a_column_that_was_constant_may_stay_so(self) -> None:
        assert self.says([7] * 5_000, [7] * 5_000) == ""

    def test_a_default_filled_in(self) -> None:
        values = normal(10_000, 2)
        values[:800] = 0.0
        assert "8.00% of the values are 0, at most" in self.says(normal(10_000, 1), values)

    def test_values_that_training_never_had(self) -> None:
        weights = [0.5, 0.48, 0.02]
        said = self.says(one_of("abc", 10_000, 1, weights), one_of("abX", 10_000, 2, weights))
        assert "1.98% of the values are new (such as 'X'), and 'c' gone" in said

    def test_a_rare_new_value_is_no_trouble(self) -> None:
        assert self.says(one_of("ab", 10_000, 1), [*one_of("ab", 9_990, 2), *"X" * 10]) == ""

    def test_values_beyond_the_range(self) -> None:
        values = normal(10_000, 2)
        values[:200] = 40.0
        said = self.says(normal(10_000, 1), values)
        assert "2.01% of the values lie beyond training's range -3.83786 to 3.93178 (now -3.84867 to 40)" in said

    def test_another_unit(self) -> None:
        metres = np.random.default_rng(1).lognormal(3, 0.2, 20_000)
        feet = np.random.default_rng(2).lognormal(3, 0.2, 20_000) * 3.28
        said = self.says(metres, feet)
        assert said.startswith("sudden [x]: ")

    def test_the_unit_is_named_where_the_ranges_overlap(self) -> None:
        one, other = (np.random.default_rng(seed).lognormal(0, 2, 20_000) for seed in (1, 2))
        assert "every decile is 10.44 times training's: another unit?" in self.says(one, other * 10)

    def test_a_column_that_held_nothing_and_now_does(self) -> None:
        assert self.says([None] * 2_000, normal(2_000, 1)) != ""

    def test_infinite_values_are_beyond_any_range(self) -> None:
        values = normal(5_000, 2)
        values[:200] = np.inf
        assert "4.02% of the values lie beyond training's range" in self.says(normal(5_000, 1), values)


class TestChosenFeatures:
    def test_below_the_top_by_importance_moves_are_only_reported(self) -> None:
        before = table("training", x=normal(5_000, 1), y=normal(5_000, 2))
        weighed = make(before, importances={"x": 0.9, "y": 0.1})
        sample = table(x=normal(5_000, 3), y=normal(5_000, 4, mean=3))
        found = judged(weighed, sample, top=1)
        assert list(found) == ["all"]
        assert found["all"].verdict is PASS
        assert found["all"].sentence.endswith("1 below the top 1 by importance are reported only, of which y moved")
        assert judged(weighed, sample, top=1, features=("y",))["y"].verdict is FAIL

    def test_one_that_is_missing_fails_however_little_it_weighs(self) -> None:
        weighed = make(table(x=normal(5_000, 1), y=normal(5_000, 2)), importances={"x": 0.9, "y": 0.1})
        assert judged(weighed, table(x=normal(5_000, 3)), top=1)["y"].verdict is FAIL

    def test_ignored_ones_are_not_compared(self) -> None:
        before = baseline(x=normal(5_000, 1), y=normal(5_000, 2))
        found = judged(before, table(x=normal(5_000, 3)), ignore=("y",))
        assert found["all"].verdict is PASS

    def test_columns_that_the_baseline_lacks_are_said(self) -> None:
        found = judged(baseline(x=normal(5_000, 1)), table(x=normal(5_000, 3), z=normal(5_000, 1)))
        assert found["all"].sentence.endswith("1 features against training (5,000 rows); not in the baseline: z")


@pytest.mark.parametrize("rows", [100, 500])
def test_an_index_at_the_limit_is_seldom_taken_for_one_within(rows: int) -> None:
    """A plain normal interval says so in 18 % (100 rows) and 9 % (500 rows)."""
    at_limit = 0.4583  # shift in deviations that makes an index of 0.2
    passes = 0
    for seed in range(100):
        before, now = (np.random.default_rng([rows, seed, side]).normal(size=rows) for side in (0, 1))
        found = judged(baseline(x=before), table(x=now + at_limit))
        passes += found.get("x", found["all"]).verdict is PASS
    assert passes <= 10


@pytest.mark.parametrize("rows", [200, 1_000, 20_000])
def test_nothing_fails_where_nothing_changed(rows: int) -> None:
    """Twelve columns of many shapes, forty times: no rule of any gives a false alarm."""
    alarms = 0
    for seed in range(40 if rows < 20_000 else 10):
        rng = np.random.default_rng([rows, seed])

        def side(name: str, rng: np.random.Generator = rng) -> Any:
            zipf = rng.zipf(1.3, rows)
            return table(
                name,
                normal=rng.normal(size=rows),
                heavy=rng.standard_cauchy(rows),
                many=rng.lognormal(sigma=3, size=rows),
                zeros=np.where(rng.random(rows) < 0.6, 0, rng.exponential(size=rows)),
                count=rng.poisson(3, rows),
                wide=rng.integers(0, 10**6, rows),
                rare=rng.random(rows) < 0.003,
                words=np.char.add("w", np.minimum(zipf, 10**9).astype(str)),
                codes=np.minimum(rng.geometric(0.2, rows), 25),
                holes=np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
                few=rng.choice([0.5, 1.5, 2.5], rows),
                rounded=np.round(rng.normal(size=rows), 1),
            )

        before, now = side("before"), side("now")
        for reference in (make(before), Reference(table=before)):
            alarms += any(finding.verdict is FAIL for finding in judged(reference, now).values())
    assert alarms == 0

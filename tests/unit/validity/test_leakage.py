"""Leaked rows are found, and honest rows that repeat by chance are not called a leak."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from by_hand import golden_of, settings_of

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.golden.leakage import leaks, same_identifiers, same_rows
from pytest_mlgates.measure.golden.twins import Twins, twins_of
from pytest_mlgates.origin.training import Training
from pytest_mlgates.policy import GoldenValidity

MARGIN = 0.01
YEARS = (2015, 2016, 2017, 2018)


def judged(golden: pd.DataFrame, training: pd.DataFrame, label: str = "employed") -> Evidence:
    """Features and label of both, compared."""
    kept = [column for column in golden.columns if column not in ("id", "year")]
    return same_rows(golden[kept], training, label, margin=MARGIN, alpha=0.05, measure="equal")


def leaked(evidence: Evidence) -> bool:
    assert evidence.interval is not None
    return not evidence.cannot_say and evidence.interval.low > MARGIN


@pytest.fixture(scope="module")
def demo(survey: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(golden, training) as the demo cuts them."""
    return survey[survey.year == 2017][:5000], survey[survey.year.isin([2015, 2016])]


@pytest.mark.parametrize(("golden", "training"), list(itertools.permutations(YEARS, 2)))
def test_one_year_is_no_leak_of_another(survey: pd.DataFrame, golden: int, training: int) -> None:
    evidence = judged(survey[survey.year == golden], survey[survey.year == training])
    assert not leaked(evidence)
    assert evidence.cannot_say == ""
    assert evidence.details["equal_to_a_training_row"] > 0.15, "twins abound, which is the point"


def test_the_demo_passes_and_says_what_would_hide(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    evidence = judged(*demo)
    assert not leaked(evidence) and evidence.cannot_say == ""
    assert evidence.details["equal_to_a_training_row"] == pytest.approx(0.262)
    assert 0.03 < evidence.details["smallest_share_seen"] < 0.06


@pytest.mark.parametrize("share", [0.05, 0.10])
def test_a_leak_among_twins_is_found_and_its_size_told(demo: tuple[pd.DataFrame, pd.DataFrame], share: float) -> None:
    golden, training = demo
    for seed in range(4):
        rows = golden.sample(int(share * len(golden)), random_state=seed)
        for tainted in (pd.concat([training, rows]), pd.concat([training[len(rows) :], rows])):
            evidence = judged(golden, tainted)
            assert leaked(evidence)
            assert evidence.value == pytest.approx(share, abs=0.025)


def test_random_halves_are_called_a_leak_hardly_ever(survey: pd.DataFrame) -> None:
    """The true null: 60 random splits; a false alarm rate of 1 % would give three or fewer 99.7 % of the time."""
    rng = np.random.default_rng(0)
    alarms, above_chance = 0, 0
    for _ in range(60):
        rows = rng.permutation(len(survey))
        evidence = judged(survey.iloc[rows[:4000]], survey.iloc[rows[4000:12000]])
        alarms += leaked(evidence)
        above_chance += evidence.interval is not None and evidence.interval.low > 0
    assert alarms <= 3
    assert above_chance <= 8, "5 % and a little are allowed"


def test_a_golden_set_of_other_people_is_no_leak(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Children repeat each other far more than the population that was trained on does."""
    golden, training = demo
    for chosen in (golden.AGEP <= 16, golden.AGEP >= 60, golden.employed == 0, golden.RAC1P == 1):
        assert not leaked(judged(golden[chosen], training))


def test_a_balanced_golden_set_is_no_leak_and_shows_one(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    golden, training = demo
    balanced = pd.concat([golden[golden.employed == 1][:250], golden[golden.employed == 0]])
    honest = judged(balanced, training)
    assert not leaked(honest) and honest.cannot_say == ""
    assert leaked(judged(balanced, pd.concat([training, balanced.sample(frac=0.1, random_state=0)])))


def test_a_golden_set_without_repeats_is_no_leak(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    golden, training = demo
    honest = judged(golden.drop_duplicates([c for c in golden if c not in ("id", "year")]), training)
    assert not leaked(honest) and honest.cannot_say == ""


@pytest.mark.parametrize("golden_too", [False, True])
def test_training_data_without_repeats_gives_no_answer(
    demo: tuple[pd.DataFrame, pd.DataFrame], golden_too: bool
) -> None:
    golden, training = demo
    columns = [c for c in golden if c not in ("id", "year")]
    golden = golden.drop_duplicates(columns) if golden_too else golden
    evidence = judged(golden, training.drop_duplicates(columns))
    assert evidence.cannot_say == (
        "the training data was de-duplicated, so how often honest rows repeat is unknown: "
        "name a column that tells rows apart as `identifier`"
    )


def test_a_golden_set_drawn_from_the_training_data_is_found(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, training = demo
    evidence = judged(training.sample(3000, random_state=0), training)
    assert leaked(evidence)
    assert evidence.value == 1


def test_every_training_row_twice_gives_no_answer_rather_than_a_pass(
    demo: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    golden, training = demo
    tainted = pd.concat([training, golden[:500]])
    evidence = judged(golden, pd.concat([tainted, tainted]))
    assert evidence.cannot_say.startswith("a leak of less than 65% of the golden rows would not show among equal rows")


def test_columns_of_few_values_give_no_answer(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    golden, training = demo
    evidence = judged(golden[["SEX", "DIS", "employed"]], training)
    assert evidence.cannot_say.startswith("nearly every golden row repeats in the training data by chance")


def measured(rows: int, seed: int) -> pd.DataFrame:
    """Measurements, which never repeat by chance."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("abc")).assign(y=rng.integers(0, 2, rows))


@pytest.mark.parametrize(("rows", "found"), [(0, False), (10, False), (30, True), (150, True)])
def test_among_measurements_a_leak_above_the_margin_is_found(rows: int, found: bool) -> None:
    golden = measured(1500, 1)
    evidence = judged(golden, pd.concat([measured(4000, 2), golden[:rows]]), "y")
    assert leaked(evidence) is found
    assert evidence.value == pytest.approx(rows / 1500)


@pytest.mark.parametrize(("rows", "found"), [(0, False), (75, True)])
def test_a_regressions_labels_are_compared_as_they_are(rows: int, found: bool) -> None:
    golden, training = (measured(1500, s).assign(y=np.random.default_rng(s).normal(size=1500)) for s in (1, 2))
    assert leaked(judged(golden, pd.concat([training, golden[:rows]]), "y")) is found


def test_a_whole_number_equals_the_same_number_with_a_gap_beside_it() -> None:
    golden = pd.DataFrame({"a": range(1000), "y": [0, 1] * 500})
    training = pd.concat([golden.astype({"a": float}), pd.DataFrame({"a": [np.nan], "y": [0]})])
    assert judged(golden, training, "y").value == 1


def test_two_labels_of_equal_features_are_no_leak() -> None:
    golden = measured(500, 1)
    evidence = judged(golden, golden.assign(y=1 - golden.y), "y")
    assert evidence.value == 0


def test_no_column_in_common_cannot_be_compared() -> None:
    with pytest.raises(CouldNotEvaluate, match="share no feature column, so no row can be compared"):
        judged(measured(20, 1), pd.DataFrame({"z": [1.0], "y": [0]}), "y")


def test_columns_of_one_side_only_are_named() -> None:
    golden = measured(50, 1)
    assert judged(golden, golden.drop(columns="b"), "y").details["columns_not_shared"] == ["b"]


class TestCounts:
    """`twins_of` by hand."""

    TRAINING = pd.DataFrame({"a": [1, 2, 2, 3, 3, 3, 4], "y": [0, 0, 0, 0, 0, 0, 1]})
    GOLDEN = pd.DataFrame({"a": [1, 2, 4, 4, 5, 5, 6], "y": [0, 0, 1, 0, 1, 1, 0]})

    def test_the_counts(self) -> None:
        twins = twins_of(self.GOLDEN, self.TRAINING, "y")
        assert (twins.golden, twins.training) == (7, 7)
        assert twins.once == 2, "a=1 and the 4 with label 1"
        assert twins.alone == 4, "the 4 with label 0, both 5s and the 6"
        assert twins.disagreeing == 1, "the 4 with label 0"
        assert twins.repeated == 2
        assert twins.pairs == 2, "the two 5s, one way and the other"
        # Label 0: 4 golden rows for 6 training rows, and one training row that occurs twice.
        assert twins.good == pytest.approx(4 / 6 * 2)
        assert twins.good_variance == pytest.approx((4 / 6) ** 2 * (4 + 6))
        assert twins.bound == 0, "the pair and the double have different labels"

    def test_without_a_label_all_rows_are_one_class(self) -> None:
        twins = twins_of(self.GOLDEN[["a"]], self.TRAINING[["a"]], "y")
        assert (twins.once, twins.disagreeing) == (3, 0)
        assert twins.bound == pytest.approx(2)

    def test_good_estimates_how_often_a_new_row_hits_a_single_one(self) -> None:
        rng = np.random.default_rng(0)
        cells = rng.dirichlet(np.full(3000, 0.3))
        errors = []
        for _ in range(200):
            training, golden = (pd.DataFrame({"a": rng.choice(3000, size, p=cells)}) for size in (2000, 1000))
            twins = twins_of(golden, training, "y")
            errors.append((twins.once - twins.good) / twins.error)
        assert abs(np.mean(errors)) < 0.2
        assert np.std(errors) == pytest.approx(1, abs=0.15)

    def test_the_bound_holds_where_the_populations_differ(self) -> None:
        rng = np.random.default_rng(0)
        one, other = rng.dirichlet(np.full(500, 0.5)), rng.dirichlet(np.full(500, 0.5))
        once, bound = [], []
        for _ in range(200):
            training = pd.DataFrame({"a": rng.choice(500, 600, p=one)})
            twins = twins_of(pd.DataFrame({"a": rng.choice(500, 600, p=other)}), training, "y")
            once.append(twins.once)
            bound.append(twins.bound)
        assert np.mean(once) < np.mean(bound)

    @pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
    def test_the_share_is_the_one_that_brings_so_many_rows_to_light(self, share: float) -> None:
        alone, chance = 600.0, 100.0
        twins = Twins(1000, 9000, 0, round(alone * (1 - share)), chance, 0, 0, 0, 0, 0)
        assert twins.share(share * (alone - chance)) == pytest.approx(share, abs=0.002)


class TestIdentifiers:
    def test_every_row_that_bears_a_training_rows_identifier_is_counted(self) -> None:
        golden, training = pd.Series(range(100), name="id"), pd.Series([3.0, 4.0, 4.0, *range(200, 220)])
        evidence = same_identifiers(golden, training)
        assert (evidence.value, evidence.n) == (2, 100)
        assert evidence.details == {"identifier": "id"}, "how many, not who"

    def test_text_and_numbers_never_meet(self) -> None:
        with pytest.raises(CouldNotEvaluate, match="'id' holds numbers in the golden set and text in the training"):
            same_identifiers(pd.Series(range(20), name="id"), pd.Series([str(i) for i in range(20)]))

    def test_an_empty_column_proves_nothing(self) -> None:
        evidence = same_identifiers(pd.Series([None] * 20, name="id"), pd.Series(range(20)))
        assert evidence.cannot_say == "identifier 'id' is given on 0 golden and 20 training rows only"


class TestWhichColumns:
    """`leaks` chooses what is compared."""

    SETTINGS = settings_of()

    def leaks(self, golden: pd.DataFrame, training: pd.DataFrame, **policy: object) -> list[Evidence]:
        features = golden.drop(columns=["id", "when"], errors="ignore")
        data = Training(training, golden, Path("train.csv"), "0" * 32)
        return leaks(golden_of(features), data, self.SETTINGS, GoldenValidity.model_validate(policy))

    def test_the_identifier_alone_where_there_is_one(self) -> None:
        golden = measured(50, 1).assign(id=range(50))
        (evidence,) = self.leaks(golden, measured(50, 2).assign(id=range(48, 98)), identifier="id")
        assert (evidence.measure, evidence.value) == ("rows in training", 2)

    @pytest.mark.parametrize(("lacking", "what"), [(0, "the golden set golden.csv"), (1, "train.csv")])
    def test_an_identifier_that_is_no_column_is_said(self, lacking: int, what: str) -> None:
        frames = [measured(50, 1).assign(id=range(50)) for _ in range(2)]
        frames[lacking] = frames[lacking].drop(columns="id")
        with pytest.raises(CouldNotEvaluate, match=f"identifier 'id' is no column of {what}; it has: a, b, c, y"):
            self.leaks(*frames, identifier="id")

    def test_further_columns_of_both_files_find_a_leak_among_twins(self, survey: pd.DataFrame) -> None:
        """2 % are too few to show among the survey's twins; with the time of the answer beside them they are not."""
        rows = survey.rename(columns={"employed": "y", "id": "when"}).drop(columns="year")
        golden, training = rows[12000:17000], pd.concat([rows[:12000], rows[12000:12100]])
        equal, whole = self.leaks(golden, training)
        assert (equal.measure, whole.measure) == ("equal rows beyond chance", "whole rows beyond chance")
        assert not leaked(equal)
        assert leaked(whole)
        assert whole.value == pytest.approx(0.02)

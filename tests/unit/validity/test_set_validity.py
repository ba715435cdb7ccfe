"""Rows a class, contradictions, age."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from by_hand import golden_of, settings_of

from pytest_mlgates.measure.golden.validity import contradictions, fresh, rarest_class
from pytest_mlgates.policy import GoldenValidity
from pytest_mlgates.ports.versions import History, Pinned

POLICY = GoldenValidity()
TODAY = datetime.date(2026, 11, 21)


def classes(*counts: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(sum(counts)), "y": np.repeat(range(len(counts)), counts)})


@pytest.mark.parametrize(
    ("rare", "advice", "cannot_say"),
    [
        (1000, "", ""),
        (999, "999 rows of the rarest class: 1,000 are better", ""),
        (200, "200 rows of the rarest class: 1,000 are better", ""),
        (199, "199 rows of the rarest class: 200 are needed for a margin worth having, 1,000 are better", ""),
        (10, "10 rows of the rarest class: 200 are needed for a margin worth having, 1,000 are better", ""),
        (
            9,
            "9 rows of the rarest class: 200 are needed for a margin worth having, 1,000 are better",
            "9 rows of the rarest class; at least 10 are needed",
        ),
    ],
)
def test_few_rows_of_a_class_are_said(rare: int, advice: str, cannot_say: str) -> None:
    evidence = rarest_class(golden_of(classes(1500, rare)), settings_of())
    assert (evidence.value, evidence.n) == (rare, 1500 + rare)
    assert evidence.details == {"classes": {"0": 1500, "1": rare}, "advice": advice}
    assert evidence.cannot_say == cannot_say


def test_classes_are_named_as_the_file_names_them() -> None:
    golden = golden_of(classes(300, 20), classes=("good", "bad"))
    settings = settings_of(positive_class="bad")
    assert rarest_class(golden, settings).details["classes"] == {"good": 300, "bad": 20}
    assert rarest_class(golden_of(classes(30, 20, 10)), settings_of(task="multiclass")).details["classes"] == {
        "0": 30,
        "1": 20,
        "2": 10,
    }


def test_a_regression_counts_its_rows() -> None:
    evidence = rarest_class(golden_of(classes(1, 1, 1)), settings_of(task="regression"))
    assert (evidence.measure, evidence.value, evidence.cannot_say) == ("rows", 3, "3 rows; at least 10 are needed")


def test_rows_at_odds_are_counted_on_both_sides() -> None:
    frame = pd.DataFrame({"a": [1, 1, 1, 2, 2, 3, np.nan, np.nan], "y": [0, 0, 1, 1, 1, 0, 0, 1]})
    evidence = contradictions(golden_of(frame), POLICY)
    assert (evidence.value, evidence.n) == (5 / 8, 8)
    assert (evidence.details["rows"], evidence.details["rows_with_an_equal_one"]) == (5, 7)
    assert evidence.interval is not None and evidence.interval.low < 5 / 8 < evidence.interval.high


def test_the_survey_contradicts_itself_a_little(survey: pd.DataFrame) -> None:
    """Against pandas' own grouping."""
    frame = survey[survey.year == 2015].drop(columns=["id", "year"])
    labels = frame.groupby([c for c in frame if c != "employed"]).employed.transform("nunique")
    evidence = contradictions(golden_of(frame, "employed"), POLICY)
    assert evidence.value == pytest.approx((labels > 1).mean())
    assert 0.04 < (evidence.value or 0) < 0.08


def at(day: str, md5: str = "v" * 32, commit: str = "abcdef0123") -> Pinned:
    return Pinned(commit, int(datetime.datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()), "why", md5)


def reason(history: History, policy: GoldenValidity = POLICY) -> tuple[float | None, str]:
    evidence = fresh(golden_of(classes(20, 20)), history, policy, TODAY)
    return evidence.value, evidence.details["reason"]


def test_a_young_set_is_fresh() -> None:
    assert reason(History((at("2026-08-24"),))) == (1, "pinned on 2026-08-24 in abcdef0, less than 90 days ago")


def test_the_last_day_counts_and_the_one_after_does_not() -> None:
    assert reason(History((at("2026-08-23"),)))[0] == 1, "90 days"
    assert reason(History((at("2026-08-22"),))) == (
        0,
        "pinned on 2026-08-22 in abcdef0, more than 90 days ago: draw and label new rows, `dvc add` them, and "
        "commit the pointer",
    )
    assert reason(History((at("2026-08-22"),)), replace_days(91))[0] == 1


def replace_days(days: int) -> GoldenValidity:
    return GoldenValidity(refresh_days=days)


def test_committing_the_same_bytes_again_renews_nothing() -> None:
    history = History((at("2026-11-01"), at("2026-02-01", commit="1234567"), at("2026-01-01", md5="o" * 32)))
    assert reason(history)[1].startswith("pinned on 2026-02-01 in 1234567, more than 90 days ago")


def test_a_set_that_came_back_is_as_old_as_its_return() -> None:
    history = History((at("2026-11-01"), at("2026-10-01", md5="o" * 32), at("2026-01-01")))
    assert reason(history)[1].startswith("pinned on 2026-11-01")


@pytest.mark.parametrize("history", [History(), History((at("2026-11-01", md5="o" * 32),))])
def test_a_version_that_is_not_committed_is_of_unknown_age(history: History) -> None:
    assert reason(history) == (
        0,
        "the pointer's present version is not committed to git, so its age is unknown: commit it",
    )


def test_a_shallow_clone_cannot_say_that_a_set_is_young() -> None:
    """A clone of depth 1 shows every file as added by its only commit."""
    young = History((at("2026-11-20"),), shallow=True)
    assert reason(young) == (
        0,
        "the clone is shallow and begins on 2026-11-20, so the set may be older: fetch the whole history",
    )
    assert reason(replace(young, versions=(*young.versions, at("2026-11-01", md5="o" * 32))))[0] == 1

"""Every rule is two one-sided tests, and no rule passes what is missing or not a number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.rules import Rule, at_least, at_most, better_by, is_true, not_above, not_below, not_worse_than
from pytest_mlgates.verdict import Verdict, worst

PASS, INCONCLUSIVE, ERROR, FAIL = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL
RULES = [
    at_least(0.5),
    at_most(0.5),
    not_worse_than(0.005),
    better_by(0.005),
    is_true("holds"),
    not_above(0.5),
    not_below(0.5),
]
finite = st.floats(-1e6, 1e6)


def evidence(value: float | None, low: float | None = None, high: float | None = None, n: int = 100) -> Evidence:
    interval = None if low is None or high is None else Interval(low, high, 0.9, "test")
    return Evidence("auc gain", value, n, interval)


@pytest.mark.parametrize(
    ("rule", "low", "value", "high", "verdict"),
    [
        (at_least(0.8), 0.81, 0.85, 0.9, PASS),
        (at_least(0.8), 0.8, 0.85, 0.9, PASS),
        (at_least(0.8), 0.79, 0.85, 0.9, INCONCLUSIVE),
        (at_least(0.8), 0.6, 0.7, 0.79, FAIL),
        (at_least(0.8), 0.6, 0.7, 0.8, INCONCLUSIVE),
        (at_most(0.2), 0.1, 0.15, 0.2, PASS),
        (at_most(0.2), 0.1, 0.15, 0.21, INCONCLUSIVE),
        (at_most(0.2), 0.21, 0.25, 0.3, FAIL),
        (not_worse_than(0.005), -0.004, 0.0, 0.004, PASS),
        (not_worse_than(0.005), -0.006, 0.01, 0.02, INCONCLUSIVE),
        (not_worse_than(0.005), -0.02, -0.01, -0.006, FAIL),
        (better_by(0.005), 0.001, 0.006, 0.011, PASS),
        (better_by(0.005), 0.001, 0.004, 0.007, INCONCLUSIVE),
        (better_by(0.005), 0.0, 0.006, 0.012, INCONCLUSIVE),
        (better_by(0.005), -0.012, -0.006, -0.001, FAIL),
        (not_above(0.2), 0.1, 0.15, 0.2, PASS),
        (not_above(0.2), 0.1, 0.25, 0.3, PASS),
        (not_above(0.2), 0.21, 0.25, 0.3, FAIL),
        (not_below(0.2), 0.1, 0.15, 0.2, PASS),
        (not_below(0.2), 0.1, 0.15, 0.19, FAIL),
    ],
)
def test_pass_is_proven_inside_fail_is_proven_outside(
    rule: Rule, low: float, value: float, high: float, verdict: Verdict
) -> None:
    assert rule(evidence(value, low, high)).verdict is verdict


def test_a_watch_says_that_it_proved_nothing() -> None:
    assert (
        not_above(0.2)(evidence(0.25, 0.1, 0.3)).sentence == "auc gain +0.2500 [+0.1000, +0.3000]: not proven above 0.2"
    )
    assert not_below(0.2)(evidence(0.15, 0.1, 0.3)).sentence.endswith("]: not proven below 0.2")


def test_a_figure_without_an_interval_is_exact() -> None:
    assert at_most(0.03)(evidence(0.03)).verdict is PASS
    assert at_most(0.03)(evidence(0.031)).verdict is FAIL


def test_identical_models_are_not_worse_and_not_better() -> None:
    same = evidence(0.0, 0.0, 0.0)
    assert not_worse_than(0.005)(same).verdict is PASS
    assert better_by(0.005)(same).verdict is INCONCLUSIVE


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "missing",
    [
        evidence(None),
        evidence(math.nan),
        evidence(math.inf),
        evidence(-math.inf),
        evidence(1.0, n=0),
        evidence(1.0, math.nan, 2.0),
        evidence(1.0, 0.9, math.nan),
        evidence(1.0, 2.0, 0.5),
    ],
    ids=["none", "nan", "inf", "-inf", "on nothing", "nan below", "nan above", "upside down"],
)
def test_what_is_missing_is_an_error(rule: Rule, missing: Evidence) -> None:
    assert rule(missing).verdict is ERROR


@pytest.mark.parametrize("rule", RULES)
def test_data_that_cannot_answer_is_inconclusive_whatever_the_figure(rule: Rule) -> None:
    said = rule(Evidence("auc gain", 1.0, 5, cannot_say="5 rows in the rarer class"))
    assert said.verdict is INCONCLUSIVE
    assert said.sentence == "auc gain: 5 rows in the rarer class"


def test_a_margin_is_how_much_worse_not_a_negative_number() -> None:
    with pytest.raises(ValueError, match=r"as a positive number, not -0\.005"):
        not_worse_than(-0.005)


@given(finite, st.floats(0, 1e3), st.floats(0, 1e3), finite)
def test_the_interval_decides_and_not_the_point(value: float, below: float, above: float, limit: float) -> None:
    low, high = value - below, value + above
    verdict = at_least(limit)(evidence(value, low, high)).verdict
    assert (verdict is PASS) == (low >= limit)
    assert (verdict is FAIL) == (high < limit)


@given(finite, st.floats(0, 1e3), finite)
def test_at_most_mirrors_at_least(value: float, half: float, limit: float) -> None:
    one = at_least(limit)(evidence(value, value - half, value + half)).verdict
    other = at_most(-limit)(evidence(-value, -value - half, -value + half)).verdict
    assert one is other


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_worst_is_the_last_in_pass_inconclusive_error_fail(verdicts: list[Verdict]) -> None:
    order = [PASS, INCONCLUSIVE, ERROR, FAIL]
    assert order.index(worst(verdicts)) == max(order.index(v) for v in verdicts)


def test_the_worst_of_nothing_is_an_error() -> None:
    assert worst([]) is ERROR


@pytest.mark.parametrize("value", [0.0, 0.5, 0.999999, 2.0, -1.0])
def test_only_a_plain_yes_is_one(value: float) -> None:
    assert is_true("holds")(evidence(1.0)).verdict is PASS
    assert is_true("holds")(evidence(value)).verdict is FAIL

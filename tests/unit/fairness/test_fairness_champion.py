"""Is a group worse off than with the champion? Paired on the same rows; an unchanged model is left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_mlgates.measure.fairness.champion import FEWEST_SELECTED, Pair, changes_of, unharmed
from pytest_mlgates.policy import Fairness
from pytest_mlgates.rules import is_true
from pytest_mlgates.stats.special import normal_quantile
from pytest_mlgates.verdict import Verdict

POLICY = Fairness()


def pair(rng: np.random.Generator, n: int, correlation: float, old: list[float], new: list[float]) -> Pair:
    """Groups r (two fifths), a, b, c with selection rates `old` and `new`; scores correlate."""
    codes = np.repeat(np.arange(4), [2 * n // 5, n // 5, n // 5, n // 5])
    shared, one, two = rng.normal(size=(3, len(codes)))
    mixed = [math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own for own in (one, two)]
    cut = [np.array([normal_quantile(1 - rate) for rate in rates])[codes] for rates in (old, new)]
    return Pair(("r", "a", "b", "c"), codes, mixed[0] > cut[0], mixed[1] > cut[1])


def judged(of: Pair) -> tuple[Verdict, Any]:
    made = unharmed("race", of, "r", margin=POLICY.champion_margin, alpha=POLICY.champion_alpha)
    return is_true("unharmed")(made).verdict, made


def test_the_same_decisions_harm_nobody() -> None:
    same = pair(np.random.default_rng(0), 2000, 0.5, [0.5] * 4, [0.5] * 4)
    said, made = judged(Pair(same.names, same.codes, same.champion, same.champion))
    assert said is Verdict.PASS
    assert all(change["p"] == 1.0 for change in made.details["changes"])


@pytest.mark.parametrize("n", [500, 2000])
@pytest.mark.parametrize("rates", [[0.5, 0.45, 0.5, 0.45], [0.1, 0.09, 0.1, 0.09], [0.5] * 4])
def test_a_retrained_model_that_changes_nothing_is_held_in_2_percent_at_most(n: int, rates: list[float]) -> None:
    rng = np.random.default_rng(1)
    alarms = sum(judged(pair(rng, n, 0.9, rates, rates))[0] is Verdict.FAIL for _ in range(200))
    assert alarms / 200 <= 0.02


def test_a_group_that_lost_a_fifth_is_found_and_named() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(60):
        said, made = judged(pair(rng, 5000, 0.9, [0.5, 0.45, 0.5, 0.5], [0.5, 0.36, 0.5, 0.5]))
        found += said is Verdict.FAIL and "worse off than with the champion: a" in made.details["reason"]
    assert found / 60 > 0.95


def test_a_group_that_is_favoured_more_than_before_is_harm_by_the_inverse() -> None:
    said, made = judged(pair(np.random.default_rng(3), 20_000, 0.9, [0.4] * 4, [0.4, 0.4, 0.4, 0.6]))
    assert said is Verdict.FAIL
    assert "worse off than with the champion: c" in made.details["reason"]


def test_a_challenger_that_is_fairer_is_no_harm() -> None:
    said, _ = judged(pair(np.random.default_rng(4), 20_000, 0.9, [0.5, 0.3, 0.5, 0.5], [0.5, 0.45, 0.5, 0.5]))
    assert said is Verdict.PASS


def test_a_harm_within_the_margin_is_tolerated_however_well_proven() -> None:
    made = pair(np.random.default_rng(5), 200_000, 0.98, [0.5, 0.45, 0.5, 0.5], [0.5, 0.435, 0.5, 0.5])
    changes, _ = changes_of(made, "r", margin=0.05, alpha=0.01)
    assert changes[0].adjusted < 1e-6
    assert not changes[0].harmed
    changes, _ = changes_of(made, "r", margin=0.01, alpha=0.01)
    assert changes[0].harmed


def test_too_few_selected_is_named_and_not_compared() -> None:
    few = pair(np.random.default_rng(6), 2000, 0.9, [0.5] * 4, [0.5] * 4)
    champion = few.champion.copy()
    mine = np.flatnonzero((few.codes == 2) & champion)
    champion[mine[FEWEST_SELECTED - 1 :]] = False
    said, made = judged(Pair(few.names, few.codes, champion, few.challenger))
    assert said is Verdict.PASS
    assert made.details["untestable"] == ["b"]
    assert made.details["reason"].endswith("; too few selected to compare: b")


def test_nothing_to_compare_is_said() -> None:
    none = Pair(("r", "a"), np.repeat([0, 1], 50), np.zeros(100, bool), np.zeros(100, bool))
    said, made = judged(none)
    assert said is Verdict.PASS
    assert made.details["reason"] == "no group has 10 selected rows to compare; too few selected to compare: a"


def test_rows_that_go_together_prove_less() -> None:
    made = pair(np.random.default_rng(7), 3000, 0.5, [0.5] * 4, [0.5, 0.42, 0.5, 0.5])
    often = [np.repeat(part, 20) for part in (made.codes, made.champion, made.challenger)]
    plain = changes_of(Pair(made.names, *often), "r", margin=0.05, alpha=0.01)[0][0]
    clusters = np.repeat(np.arange(3000), 20)
    clustered = changes_of(Pair(made.names, *often, None, clusters), "r", margin=0.05, alpha=0.01)[0][0]
    single = changes_of(made, "r", margin=0.05, alpha=0.01)[0][0]
    assert plain.p < single.p / 100
    assert clustered.p == pytest.approx(single.p, rel=0.05)


def test_equal_weights_change_nothing() -> None:
    made = pair(np.random.default_rng(8), 2000, 0.5, [0.5] * 4, [0.5] * 4)
    weighted = Pair(made.names, made.codes, made.champion, made.challenger, np.full(len(made.codes), 3.0))
    for one, other in zip(
        changes_of(made, "r", margin=0.05, alpha=0.01)[0],
        changes_of(weighted, "r", margin=0.05, alpha=0.01)[0],
        strict=True,
    ):
        assert one.p == pytest.approx(other.p)
        assert one.challenger == pytest.approx(other.challenger)

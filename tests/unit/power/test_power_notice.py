"""What a golden set can resolve, said before any model is there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_mlgates.measure.golden.power import (
    Design,
    advance_notice,
    advice,
    correlation_of,
    measured,
    resolvable,
    rows_for,
)
from pytest_mlgates.policy import BootstrapAuc, GoldenRegression
from pytest_mlgates.settings import Settings
from pytest_mlgates.stats.delong import paired_auc

ALL = ("golden_integrity", "golden_regression", "bootstrap_auc", "slices")


def settings(task: str = "binary", **more: object) -> Settings:
    return Settings(model="m", golden="golden.csv", label="y", task=task, **more)


def test_the_figures_are_those_of_the_policy() -> None:
    """11,000 and 2,760 rows for .005 and .01 at correlation .9; 2,240 and 560 at .98; 12.8 times for 2 % positives."""
    even = Design(5000, 0.5)
    assert rows_for(0.005, even, 0.9) == pytest.approx(11_000, rel=0.1)
    assert rows_for(0.01, even, 0.9) == pytest.approx(2_760, rel=0.1)
    assert rows_for(0.005, even, 0.98) == pytest.approx(2_240, rel=0.1)
    assert resolvable(Design(5000, 0.02), 0.9) / resolvable(even, 0.9) == pytest.approx(math.sqrt(12.755), rel=1e-3)


def test_an_equal_challenger_passes_at_the_resolvable_margin_as_often_as_promised() -> None:
    design, rng, passed = Design(1000, 0.3), np.random.default_rng(5), 0
    margin = resolvable(design, 0.9)
    y = np.arange(design.rows) < design.balance * design.rows
    for _ in range(400):
        champion = rng.normal(size=design.rows)
        challenger = 0.9 * champion + math.sqrt(1 - 0.81) * rng.normal(size=design.rows)
        pair = paired_auc(y, champion + 1.1902 * y, challenger + 1.1902 * y)
        passed += pair.interval(0.9)[0] >= -margin
    assert 0.74 <= passed / 400 <= 0.86  # three standard errors about 80 %


def test_a_measured_margin_gives_back_the_correlation() -> None:
    design = Design(3000, 0.2, 0.75)
    assert correlation_of(design, resolvable(design, 0.93)) == pytest.approx(0.93, abs=1e-6)
    assert correlation_of(design, 1e-9) == pytest.approx(0.9999)


def test_the_advice_starts_with_what_is_cheapest() -> None:
    assert advice(Design(2000, 0.02), 0.005, 0.9) == [
        "balance the golden set: at 50/50 12,000 rows do what 150,000 do at 2 % positive (12.8 times fewer); "
        "keep a weight column or set prevalence",
        "add rows: 150,000 in all",
        "widen the margin: these rows resolve 0.042",
    ]
    assert advice(Design(2000, 0.5), 0.005, 0.9) == [
        "add rows: 12,000 in all",
        "widen the margin: these rows resolve 0.012",
    ]
    assert advice(Design(20_000, 0.5), 0.005, 0.9) == []
    assert not any("margin" in step for step in advice(Design(400, 0.02), 0.005, 0.9)), "8 positives prove no margin"


def test_a_notice_for_every_statistical_gate_that_is_asked_for() -> None:
    notice = advance_notice(5000, 2600, settings(), ALL)
    said = (
        "at score correlation 0.9 it resolves 0.0074 and needs 12,000 rows, "
        "at score correlation 0.98 it resolves 0.0034"
    )
    assert notice == [
        f"golden_regression: 5,000 rows (52 % positive) may not prove not worse by 0.005 ROC AUC: {said}; "
        "first advice: add rows: 12,000 in all",
        f"bootstrap_auc: 5,000 rows (52 % positive) may not prove a true gain of 0.005 ROC AUC: {said}; "
        "first advice: add rows: 12,000 in all",
        "slices: in one of 10 slices of 500 rows a harm is found from 0.035 at score correlation 0.9 or 0.016 at score "
        "correlation 0.98 on",
    ]
    assert advance_notice(5000, 2600, settings(), ("golden_integrity", "bootstrap_auc")) == notice[1:2]


def test_enough_rows_and_a_measured_correlation_need_no_advice() -> None:
    assert advance_notice(20_000, 10_000, settings(), ("golden_regression",), correlation=0.95) == [
        "golden_regression: 20,000 rows (50 % positive) can prove not worse by 0.005 ROC AUC: "
        "at the measured score correlation 0.95 it resolves 0.0026"
    ]


def test_margins_and_alpha_of_the_policy_count() -> None:
    strict = settings(
        golden_regression=GoldenRegression(metrics={"roc_auc": 0.02}, alpha=0.0025),
        bootstrap_auc=BootstrapAuc(better=False, margin=0.02),
    )
    first, second = advance_notice(5000, 2500, strict, ("golden_regression", "bootstrap_auc"), correlation=0.9)
    said = "can prove not worse by 0.02 ROC AUC: at the measured score correlation 0.9 it resolves"
    assert first.endswith(f"{said} 0.011")
    assert second.endswith(f"{said} 0.0074")


def test_too_few_positives_are_said_before_time_is_spent() -> None:
    few = "will be INCONCLUSIVE: 9 rows in the rarer class; at least 10 are needed, and 100 or more are advised"
    assert advance_notice(300, 291, settings(), ALL) == [f"{name}: {few}" for name in ALL[1:]]
    forty = advance_notice(2000, 40, settings(), ALL)
    assert "40 in the rarer class where 100 are advised" in forty[0]
    assert "first advice: balance the golden set" in forty[0]
    assert forty[2].endswith("has 4 in the rarer class, fewer than the 10 a test needs")


def test_what_cannot_be_foreseen_is_not_foretold() -> None:
    other = settings(golden_regression=GoldenRegression(metrics={"brier": 0.01}))
    assert advance_notice(5000, 2500, other, ("golden_regression",)) == []
    assert advance_notice(5000, 0, settings("regression"), ALL) == []
    assert advance_notice(8, 0, settings("regression"), ("golden_regression",)) == [
        "golden_regression: 8 rows; at least 10 are needed"
    ]


def test_scores_that_are_kept_say_how_far_two_models_agree() -> None:
    rng = np.random.default_rng(2)
    y = np.arange(4000) % 2
    first = rng.normal(size=4000) + 1.1902 * y
    second = 0.95 * (first - 1.1902 * y) + math.sqrt(1 - 0.95**2) * rng.normal(size=4000) + 1.1902 * y
    auc, correlation = measured(y, first, second)
    assert auc == pytest.approx(0.8, abs=0.02)
    assert correlation == pytest.approx(0.95, abs=0.01)
    assert measured(y, first, first) is None, "the same scores say nothing"
    assert measured(np.ones(4000), first, second) is None

"""What is called harm, what is named as untestable, and what is kept for the picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.slices.family import Scored, family
from pytest_mlgates.measure.slices.judged import slice_gains
from pytest_mlgates.measure.slices.rows import Slice
from pytest_mlgates.policy import Slices
from pytest_mlgates.rules import at_least, is_true
from pytest_mlgates.stats.delong import paired_auc
from pytest_mlgates.stats.metrics import METRICS
from pytest_mlgates.verdict import Verdict

from .conftest import FakeModel, golden_of

AUC = METRICS["roc_auc"]


def test_a_harmed_slice_fails_and_is_named_with_an_interval_below_zero(judged, people, settings) -> None:
    golden, champion, challenger = judged((people.region == "south").to_numpy() & (people.age < 40).to_numpy())
    policy = Slices(crossed=(("region", "age"),), bins={"age": (40.0,)}, found=0)
    found = slice_gains(golden, champion, challenger, policy, settings())
    assert found.summary.value == 0
    assert is_true("x")(found.summary).verdict is Verdict.FAIL
    assert [evidence.where for evidence in found.harmed] == ["region=south & age<40", "age<40"]
    assert all(at_least(0)(evidence).verdict is Verdict.FAIL for evidence in found.harmed)
    assert found.summary.details["reason"].startswith(
        "2 of 6 slices harmed: region=south & age<40, age<40; the worst is region=south & age<40 -0."
    )
    assert found.harmed[0].interval is not None
    assert found.harmed[0].interval.method.endswith("Holm over 6 slices")


def test_equal_models_pass_and_every_slice_is_kept_for_the_picture(judged, settings) -> None:
    golden, champion, challenger = judged()
    found = slice_gains(golden, champion, challenger, Slices(columns=("region",), found=0), settings())
    finding = is_true("no harm")(found.summary)
    assert finding.verdict is Verdict.PASS
    assert finding.sentence.startswith("none of 2 slices is proven harmed beyond 0.02; the worst is region=")
    rows = (golden.X.region == "south").to_numpy()
    pictured = {part["name"]: part for part in found.summary.details["slices"]}
    pair = paired_auc(golden.y[rows], champion.answers[rows], challenger.answers[rows])
    assert pictured["region=south"]["gain"] == pytest.approx(pair.difference, abs=1e-12)
    assert pictured["region=south"]["low"] == pytest.approx(pair.interval(0.95)[0], abs=1e-9)
    assert pictured["region=south"]["n"] == rows.sum()
    assert pictured["region=south"]["rarer"] == min(pair.n_pos, pair.n_neg)


def test_identical_models_pass(judged, settings) -> None:
    golden, champion, _ = judged()
    found = slice_gains(golden, champion, champion, Slices(columns=("region",)), settings())
    assert found.summary.value == 1


def with_gains(gains: list[float], n: int = 400) -> tuple[Scored, list[Slice]]:
    """Disjoint slices of `n` rows, whose challengers add noise and lose about as much as asked."""
    rng = np.random.default_rng(11)
    size = n * len(gains)
    y, slot = np.arange(size) % 2, np.arange(size) // n
    first = rng.normal(size=size) + 1.2 * y
    second = first + 0.15 * rng.normal(size=size) - np.array(gains)[slot] * y
    return Scored(y, first, second), [Slice(f"s{i}", slot == i, "column") for i in range(len(gains))]


def test_proven_harm_within_the_margin_does_not_fail() -> None:
    scored, slices = with_gains([0.05], n=4000)
    tight = family(AUC, scored, slices, Slices(margin=0.02))
    part = tight.summary.details["slices"][0]
    assert -0.02 < part["gain"] < 0 and part["holm"] < 0.001
    assert tight.summary.value == 1
    assert family(AUC, scored, slices, Slices(margin=0.005)).summary.value == 0


def test_harm_is_judged_over_the_family_not_alone() -> None:
    scored, slices = with_gains([0.1] + [0.0] * 19, n=80)
    alone = family(AUC, scored, slices[:1], Slices()).summary.details["slices"][0]
    among = family(AUC, scored, slices, Slices()).summary.details["slices"]
    part = next(part for part in among if part["name"] == "s0")
    assert (alone["harmed"], part["harmed"]) == (True, False)
    assert part["holm"] == pytest.approx(min(1.0, 20 * alone["p"]))


def test_small_slices_are_named_and_block_only_when_required(judged, settings) -> None:
    few = np.zeros(2000, dtype=bool)
    few[:18] = True
    golden, champion, challenger = judged()
    golden.X["few"] = few
    policy = Slices(where={"tiny": "few"}, columns=("region",), found=0)
    found = slice_gains(golden, champion, challenger, policy, settings())
    assert found.summary.value == 1 and found.untold == ()
    assert found.summary.details["untestable"] == {"tiny": "it has 9 rows in the rarer class, fewer than 10"}
    assert found.summary.details["reason"].endswith("; untestable: tiny")

    required = slice_gains(golden, champion, challenger, policy.model_copy(update={"required": ("tiny",)}), settings())
    finding = at_least(0)(required.untold[0])
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.sentence == (
        "roc_auc gain [tiny]: a required slice, but it has 9 rows in the rarer class, fewer than 10"
    )


def test_nothing_testable_is_inconclusive_and_says_why(judged, settings) -> None:
    golden, champion, challenger = judged()
    nothing = slice_gains(golden, champion, challenger, Slices(found=0), settings())
    assert nothing.summary.cannot_say == (
        "there are no slices, and the rows are too few to search for any: name columns, bins or predicates in "
        "[tool.mlgates.slices], or leave the gate out"
    )
    golden.X["few"] = np.arange(2000) < 4
    only = slice_gains(golden, champion, challenger, Slices(where={"tiny": "few"}, found=0), settings())
    assert only.summary.cannot_say == "no slice can be tested; untestable: tiny"
    assert is_true("x")(only.summary).verdict is Verdict.INCONCLUSIVE


def test_clusters_widen_the_test(judged, settings) -> None:
    golden, champion, challenger = judged(np.arange(2000) < 300)
    policy = Slices(columns=("region",), found=0)
    twice = golden_of(
        pd.concat([golden.X, golden.X], ignore_index=True), np.tile(golden.y, 2), group=np.tile(np.arange(2000), 2)
    )
    doubled = slice_gains(
        twice, FakeModel(np.tile(champion.answers, 2)), FakeModel(np.tile(challenger.answers, 2)), policy, settings()
    )
    once = slice_gains(golden, champion, challenger, policy, settings())
    for a, b in zip(doubled.summary.details["slices"], once.summary.details["slices"], strict=True):
        assert a["low"] == pytest.approx(b["low"], rel=0.02), "rows twice over must prove no more"


def test_a_slice_of_one_group_is_untestable(judged, settings) -> None:
    golden, champion, challenger = judged(group=np.where(np.arange(2000) < 1000, 0, 1))
    golden.X["half"] = np.arange(2000) < 500
    found = slice_gains(golden, champion, challenger, Slices(where={"half": "half"}, found=0), settings())
    assert "names one group only" in found.summary.details["untestable"]["half"]


def test_regression_harm_is_relative_to_the_champion(settings) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"kind": np.repeat(["a", "b"], 300)})
    y = rng.normal(size=600) * 100
    champion, error = FakeModel(y + rng.normal(size=600) * 10), rng.normal(size=600) * 10
    challenger = FakeModel(y + np.where(frame.kind == "b", 1.5, 1.0) * error)
    golden = golden_of(frame, y, "regression")
    found = slice_gains(golden, champion, challenger, Slices(columns=("kind",), found=0), settings("regression"))
    assert [evidence.title for evidence in found.harmed] == ["rmse gain [kind=b]"]
    forgiving = Slices(columns=("kind",), found=0, margin=0.9)
    assert slice_gains(golden, champion, challenger, forgiving, settings("regression")).summary.value == 1


def test_multiclass_slices_lacking_a_class_are_untestable(settings) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(900) % 3
    frame = pd.DataFrame({"kind": np.where(y < 2, np.where(np.arange(900) % 2, "a", "b"), "a")})
    answers = rng.dirichlet([1, 1, 1], size=900) + np.eye(3)[y]
    models = [FakeModel(a / a.sum(axis=1, keepdims=True)) for a in (answers, answers + 0.2 * rng.random((900, 3)))]
    golden = golden_of(frame, y, "multiclass")
    found = slice_gains(golden, *models, Slices(columns=("kind",)), settings("multiclass"))
    assert found.summary.details["untestable"]["kind=b"].startswith("it has 0 rows in the rarer class")
    assert found.summary.details["slices"][0]["name"] == "kind=a"


def test_a_metric_that_needs_the_true_balance_is_inconclusive_on_a_balanced_set(judged, settings) -> None:
    golden, champion, challenger = judged()
    policy = Slices(columns=("region",), metric="brier")
    found = slice_gains(golden, champion, challenger, policy, settings(sampled="balanced"))
    assert "needs the true prevalence" in found.summary.cannot_say


def test_an_unknown_metric_says_whose_setting_it_is(judged, settings) -> None:
    golden, champion, challenger = judged()
    with pytest.raises(CouldNotEvaluate, match=r"^slices: unknown metric 'auc'"):
        slice_gains(golden, champion, challenger, Slices(metric="auc"), settings())

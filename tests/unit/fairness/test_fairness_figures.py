"""All figures of a column together: which judge, which are only shown, and what keeps them from passing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.verdict import Verdict

from .people import figures, model, of, settings_of, verdict, verdicts

N = 4000


def rows(seed: int = 0, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=N), "sex": np.tile(["m", "f"], N // 2), "y": rng.integers(0, 2, N)})
    return frame.assign(**columns)


def fair(seed: int = 1, rate: float = 0.5) -> Any:
    scores = np.random.default_rng(seed).random(N)
    return model("challenger", scores, threshold=1 - rate)


def test_only_disparate_impact_and_the_champion_judge_by_default() -> None:
    made = figures(rows(), settings_of(["sex"]), fair(), fair())
    assert [(one.evidence.measure, one.asked, one.limit) for one in made] == [
        ("disparate impact", "at least", 0.8),
        ("lowest/highest selection rate", "reported", "reported"),
        ("demographic parity difference", "reported", "reported"),
        ("equalized odds difference", "reported", "reported"),
        ("no group worse off than with the champion", "true", "not proven worse by more than 0.05"),
    ]
    assert all(one.evidence.interval for one in made[:4])
    assert max(map(verdict, made)) is Verdict.PASS


def test_without_a_champion_there_is_nobody_to_be_worse_than() -> None:
    made = figures(rows(), settings_of(["sex"]), fair())
    assert len(made) == 4
    assert "champion" not in made[0].evidence.where


def test_the_second_rule_can_be_left_out() -> None:
    made = figures(rows(), settings_of(["sex"]), fair(), fair(), no_worse_than_champion=False)
    assert len(made) == 4


def test_every_column_and_every_intersection_is_judged() -> None:
    frame = rows(region=np.repeat(["n", "s"], N // 2))
    made = figures(frame, settings_of(["sex", "region"]), fair(), crossed=[["sex", "region"]])
    assert [one.evidence.where.split("=")[0].split(", nearest ")[-1] for one in of(made, "disparate impact")] == [
        "sex",
        "region",
        "sex & region",
    ]


def test_one_group_only_cannot_pass() -> None:
    made = figures(rows(sex="m"), settings_of(["sex"]), fair())
    assert [verdict(one) for one in made] == [Verdict.INCONCLUSIVE]
    assert made[0].evidence.cannot_say == "sex has one group only, m: there is nothing to compare it with"


def test_a_group_of_one_row_is_named_and_holds() -> None:
    frame = rows()
    frame.loc[0, "sex"] = "x"
    made = of(figures(frame, settings_of(["sex"]), fair()), "disparate impact")
    assert [verdict(one) for one in made] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert "x (1 row, " in made[1].evidence.cannot_say


def test_a_group_without_positives_keeps_equalized_odds_from_passing() -> None:
    frame = rows()
    few = frame.index[:40]
    frame.loc[few, "sex"], frame.loc[few, "y"] = "x", 0
    made = of(figures(frame, settings_of(["sex"]), fair(), equalized_odds=0.4), "equalized odds difference")
    assert verdict(made[0]) is Verdict.INCONCLUSIVE
    assert made[0].evidence.where.endswith(", x without positives")
    assert made[0].evidence.interval is not None
    assert made[0].evidence.interval.high == 1.0
    made = of(figures(rows(), settings_of(["sex"]), fair(), equalized_odds=0.4), "equalized odds difference")
    assert verdict(made[0]) is Verdict.PASS


def test_limits_judge_each_group_and_an_error_rate_from_above() -> None:
    limits = {"true_positive_rate": 0.6, "false_positive_rate": 0.4, "accuracy": 0.45}
    made = figures(rows(), settings_of(["sex"]), fair(), groups=limits, demographic_parity=0.1)
    said = verdicts(made)
    assert [verdict(one) for one in of(made, "true_positive_rate")] == [Verdict.FAIL, Verdict.FAIL]
    assert [verdict(one) for one in of(made, "false_positive_rate")] == [Verdict.FAIL, Verdict.FAIL]
    assert [verdict(one) for one in of(made, "accuracy")] == [Verdict.PASS]
    assert of(made, "accuracy")[0].evidence.where.startswith("2 groups proven, nearest sex=")
    assert Verdict.FAIL in said.values()


def test_a_limit_on_auc_of_a_model_without_scores_cannot_pass() -> None:
    labels = np.random.default_rng(2).integers(0, 2, N)
    one = model("challenger", labels, labels=labels)

    def no_scores(rows: Any) -> Any:
        from pytest_mlgates.errors import CouldNotEvaluate

        raise CouldNotEvaluate("labels only")

    one.scores = no_scores
    made = of(figures(rows(), settings_of(["sex"]), one, groups={"roc_auc": 0.1}), "roc_auc")
    assert [verdict(line) for line in made] == [Verdict.INCONCLUSIVE]
    assert "f (2,000 rows: the model gives no scores)" in made[0].evidence.cannot_say


def test_a_limit_on_auc_names_a_group_too_small_for_one() -> None:
    frame = rows()
    frame.loc[:11, "sex"] = "x"
    made = of(figures(frame, settings_of(["sex"]), fair(), groups={"roc_auc": 0.3}), "roc_auc")
    assert [verdict(line) for line in made] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert "in the rarer class, at least 10 are needed)" in made[1].evidence.cannot_say


def test_a_balanced_set_without_weights_judges_only_what_ignores_prevalence() -> None:
    made = figures(rows(), settings_of(["sex"], sampled="balanced"), fair(), fair(), groups={"accuracy": 0.1})
    by_measure = {one.evidence.measure: one for one in made}
    assert verdict(by_measure["disparate impact"]) is Verdict.INCONCLUSIVE
    assert verdict(by_measure["accuracy"]) is Verdict.INCONCLUSIVE
    assert by_measure["demographic parity difference"].evidence.value is None
    assert by_measure["equalized odds difference"].evidence.value is not None
    assert "no group worse off than with the champion" not in by_measure
    table = by_measure["disparate impact"].evidence.details["by_group"]
    assert table[0]["selection_rate"] is None
    assert table[0]["true_positive_rate"] is not None


def test_weights_undo_the_balance_and_cost_rows() -> None:
    """Positives are selected more often; in production they are one in ten."""
    rng = np.random.default_rng(4)
    frame = rows()
    one = model("challenger", np.where(frame.y == 1, 0.9, 0.1) * (0.5 + rng.random(N)), threshold=0.5)
    plain = of(figures(frame, settings_of(["sex"]), one), "disparate impact")[0].evidence
    weighted = of(figures(frame, settings_of(["sex"], sampled="balanced", prevalence=0.1), one), "disparate impact")[
        0
    ].evidence
    assert plain.details["rates"]["m"] == pytest.approx(0.4, abs=0.1)
    assert weighted.details["rates"]["m"] == pytest.approx(0.1, abs=0.03)
    assert weighted.details["effective_sizes"]["m"] < 1800 < plain.details["effective_sizes"]["m"]
    assert weighted.details["bootstrap"] == "not drawn: rows are weighted or belong together"


def test_clusters_widen_every_interval() -> None:
    """Forty rows a customer, all decided alike: 100 customers are no 4,000 rows."""
    rng = np.random.default_rng(3)
    frame = rows(user=np.arange(N) // 40, sex=np.repeat(np.tile(["m", "f"], N // 80), 40))
    one = model("challenger", np.repeat(rng.random(N // 40), 40), threshold=0.5)
    made = figures(frame, settings_of(["sex"]), one)
    clustered = figures(frame, settings_of(["sex"], group="user"), one)
    for plain, wide in zip(made[:4], clustered[:4], strict=True):
        a, b = plain.evidence.interval, wide.evidence.interval
        assert a is not None and b is not None
        assert b.high - b.low > 1.5 * (a.high - a.low) or (b.low, b.high) == (0.0, 1.0)
    assert verdict(clustered[0]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("declared", "bound"), [({"m": 0.5, "f": 0.5}, 0.8), ({"m": 0.6, "f": 0.4}, 0.85)])
def test_production_shares_decide_between_080_and_085(declared: dict[str, float], bound: float) -> None:
    made = figures(rows(), settings_of(["sex"]), fair(), production_shares={"sex": declared})
    assert made[0].evidence.measure == "gap to production shares"
    assert made[1].limit == bound


def test_an_intersection_of_an_unrepresentative_column_is_held_to_085_too() -> None:
    frame = rows(region=np.repeat(["n", "s"], N // 2))
    shares = {"sex": {"m": 0.7, "f": 0.3}}
    made = figures(frame, settings_of(["sex", "region"]), fair(), crossed=[["sex", "region"]], production_shares=shares)
    limits = {one.evidence.where.split("=")[0].split("nearest ")[-1]: one.limit for one in of(made, "disparate impact")}
    assert limits == {"sex": 0.85, "region": 0.8, "sex & region": 0.85}


def test_a_declared_group_without_rows_is_named_and_cannot_pass() -> None:
    shares = {"sex": {"m": 0.5, "f": 0.49, "x": 0.01}}
    made = of(figures(rows(), settings_of(["sex"]), fair(), production_shares=shares), "disparate impact")
    assert [verdict(one) for one in made] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert made[1].evidence.cannot_say.endswith(": x (no rows)")


def test_a_stricter_limit_of_ones_own_is_never_lowered() -> None:
    shares = {"sex": {"m": 0.7, "f": 0.3}}
    made = figures(rows(), settings_of(["sex"]), fair(), production_shares=shares, disparate_impact=0.9)
    assert made[1].limit == 0.9


def test_the_bootstrap_is_in_the_report_and_repeats() -> None:
    seen = [figures(rows(), settings_of(["sex"]), fair())[0].evidence.details["bootstrap"] for _ in range(2)]
    assert seen[0] == seen[1]
    assert seen[0]["draws"] == 1000
    assert 0 <= seen[0]["demographic_parity"][0] <= seen[0]["demographic_parity"][1] <= 1


def test_the_table_by_group_holds_both_models() -> None:
    table = figures(rows(), settings_of(["sex"]), fair(1), fair(2))[0].evidence.details["by_group"]
    assert [row["group"] for row in table] == ["f", "m"]
    for row in table:
        value, low, high = row["selection_rate"]
        assert low < value < high
        assert row["champion_selection_rate"] != value
        assert len(row["roc_auc"]) == 3
        assert row["champion_roc_auc"] != row["roc_auc"][0]

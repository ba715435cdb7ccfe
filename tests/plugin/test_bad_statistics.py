"""Scores, weights, groups and rows that no statistic can be had of: held, with one sentence that says which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlrepo import BETTER, CHAMPION, Repo, Run


def probabilities(strength: float) -> Callable[[Any], Any]:
    def make(y: Any) -> Any:
        noise = np.random.default_rng(1).normal(size=len(y))
        return 1 / (1 + np.exp(0.5 * strength - strength * y - noise))

    return make


def held(repo: Repo, run: Run, code: int, gate: str, verdict: str, sentence: str) -> None:
    assert (run.ret, repo.champion()) == (code, CHAMPION)
    said, why = repo.said_of(gate)
    assert (said, why.replace(str(repo.path), "REPO")) == (verdict, sentence)
    assert "Traceback" not in run.text


@pytest.mark.parametrize("metric", ["log_loss", "brier", "ece"])
def test_scores_that_are_no_probabilities(repo: Repo, metric: str) -> None:
    """They rank well enough for an AUC; a probability metric of them would be nonsense."""
    repo.settings(f"[tool.mlgates.golden_regression]\nmetrics = {{{metric} = 0.01}}")
    repo.answers(probabilities(1.0), lambda y: 3 * probabilities(1.5)(y) - 1)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    verdict, sentence = repo.said_of("golden_regression")
    assert verdict == "ERROR"
    assert sentence.startswith(f"{metric}: the score column spans -0.") and sentence.endswith("inside [0, 1]")
    assert repo.verdicts()["bootstrap_auc"] == "PASS"


def test_constant_scores_are_an_auc_of_one_half_and_fail(repo: Repo) -> None:
    repo.answers(probabilities(1.0), lambda y: np.full(len(y), 0.5), method="predict_proba")
    assert (repo.apply().ret, repo.champion()) == (1, CHAMPION)
    assert repo.evidence()["gates"][2]["judgements"][0]["evidence"]["details"]["challenger"] == 0.5


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_scores_that_are_not_finite(repo: Repo, bad: float) -> None:
    repo.answers(probabilities(1.0), lambda y: np.where(np.arange(len(y)) < 2, bad, probabilities(1.5)(y)))
    sentence = f"credit v{BETTER} answered NaN or infinity for 2 of 1500 rows"
    held(repo, repo.apply(), 10, "golden_regression", "ERROR", sentence)


@pytest.mark.parametrize("weight", ["-1", "0", "inf", ""])
def test_weights_that_weigh_nothing(repo: Repo, weight: str) -> None:
    repo.rewrite_golden(lambda lines: [f"{lines[0]},w", f"{lines[1]},{weight}", *(f"{line},1" for line in lines[2:])])
    repo.settings(weight="w")
    run = repo.apply()
    sentence = "weights in column 'w' of REPO/golden.csv must all be positive numbers"
    held(repo, run, 10, "golden_integrity", "ERROR", sentence)


def test_weights_that_are_no_numbers(repo: Repo) -> None:
    repo.rewrite_golden(lambda lines: [f"{lines[0]},w", *(f"{line},much" for line in lines[1:])])
    repo.settings(weight="w")
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    assert "weights in column 'w' of REPO/golden.csv must all be positive numbers" in run.text


def test_fewer_than_ten_rows_in_a_class(repo: Repo) -> None:
    """Nine positives say nothing, however good the models look on them."""

    def nine(lines: list[str]) -> list[str]:
        positive = [line for line in lines[1:] if line.endswith(",1")]
        return [lines[0], *(line for line in lines[1:] if line.endswith(",0")), *positive[:9]]

    repo.rewrite_golden(nine)
    repo.answers(probabilities(0.0), probabilities(9.0))
    run = repo.apply()
    why = "rows in the rarest class; at least 10 are needed, and 100 or more are advised"
    held(repo, run, 10, "golden_regression", "INCONCLUSIVE", f"roc_auc gain: 9 {why}")
    assert "will be INCONCLUSIVE: 9 rows in the rarer class" in run.text, "said before time is spent"


def test_the_group_column_is_missing(repo: Repo) -> None:
    repo.settings(group="shop")
    run = repo.apply()
    sentence = "the golden set REPO/golden.csv has no column 'shop'; it has: id, site, x1, x2, x3, x4, y"
    held(repo, run, 10, "golden_integrity", "ERROR", sentence)


def test_one_group_only(repo: Repo) -> None:
    repo.rewrite_golden(
        lambda lines: [lines[0], *(",".join([line.split(",")[0], "s", *line.split(",")[2:]]) for line in lines[1:])]
    )
    repo.answers(probabilities(1.0), probabilities(1.5))
    sentence = "roc_auc: the group column names one group only; give rows of at least two groups"
    held(repo, repo.apply(), 10, "golden_regression", "ERROR", sentence)


def test_slices_may_overlap(repo: Repo) -> None:
    table = '[tool.mlgates.slices]\nbins = {x1 = [0.0]}\nwhere = {low = "x1 < 0.5", all = "x1 > -99"}\nfound = 0'
    repo.settings(table, gates=["core", "slices"])
    assert repo.run().ret == 0
    (slices,) = (gate for gate in repo.evidence()["gates"] if gate["name"] == "slices")
    parts = slices["judgements"][0]["evidence"]["details"]["slices"]
    assert {part["name"]: part["n"] for part in parts}["all"] == 1500
    assert sum(part["n"] for part in parts) > 2 * 1500


def test_with_nothing_declared_and_nothing_lost_there_is_nothing_to_hold(repo: Repo) -> None:
    """The challenger is better on every row, so that no part of them can be found where it is worse."""
    repo.settings(gates=["core", "slices"])
    repo.answers(probabilities(1.0), lambda y: probabilities(1.0)(y) * 0.5 + 0.5 * y)
    assert repo.run().ret == 0
    (slices,) = (gate for gate in repo.evidence()["gates"] if gate["name"] == "slices")
    assert slices["judgements"][0]["sentence"] == (
        "no slice is declared, and the search found no part of the rows where the challenger does worse"
    )


def test_too_few_rows_to_search_are_no_proof(repo: Repo) -> None:
    repo.settings(gates=["core", "slices"])
    repo.rewrite_golden(lambda lines: lines[:151])
    repo.answers(probabilities(1.0), lambda y: probabilities(1.0)(y) * 0.5 + 0.5 * y)
    sentence = (
        "unharmed: there are no slices, and the rows are too few to search for any: name columns, bins or predicates "
        "in [tool.mlgates.slices], or leave the gate out"
    )
    held(repo, repo.apply(), 10, "slices", "INCONCLUSIVE", sentence)

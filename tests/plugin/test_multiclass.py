"""A model with several classes: scores where the metric needs them, labels where they are enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlrepo import BETTER, CHAMPION, Repo

KINDS = ("cat", "dog", "eel")
ACCURACY = "metrics = {accuracy = 0.01, macro_f1 = 0.01}"


@pytest.fixture
def answered(repo: Repo) -> Callable[..., None]:
    """A golden set of three kinds, and what both models say of it, put where the product keeps answers."""
    repo.rewrite_golden(
        lambda lines: [lines[0], *(f"{line[:-1]}{KINDS[place % 3]}" for place, line in enumerate(lines[1:]))]
    )
    repo.settings(task="multiclass", gates=["core", "slices"])

    def keep(table: str, champion: Any, challenger: Any, classes: tuple[str, ...] = KINDS) -> None:
        repo.settings(f"[tool.mlgates.golden_regression]\n{table}")
        repo.answers(champion, challenger, classes)

    return keep


def probabilities(strength: float) -> Callable[[Any], Any]:
    """Class probabilities, the better the stronger, with columns in the order of KINDS."""

    def make(y: Any) -> Any:
        noise = np.random.default_rng(1).normal(size=(len(y), 3))
        raised = np.exp(noise + strength * np.eye(3)[y])
        return raised / raised.sum(axis=1, keepdims=True)

    return make


def labels(strength: float) -> Callable[[Any], Any]:
    return lambda y: np.array(KINDS)[probabilities(strength)(y).argmax(axis=1)]


def test_probabilities_are_judged_by_macro_auc(repo: Repo, answered, spread: list[str]) -> None:
    answered("", probabilities(1.0), probabilities(1.5))
    run = repo.apply(*spread)
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert "golden_regression roc_auc_ovr gain +0.1" in run.text


def test_columns_in_another_order_are_the_same_model(repo: Repo, answered) -> None:
    """The golden set's classes are sorted; a model may have learned them otherwise."""
    turned = ("eel", "cat", "dog")
    answered("", lambda y: probabilities(1.0)(y)[:, [2, 0, 1]], lambda y: probabilities(1.5)(y)[:, [2, 0, 1]], turned)
    assert repo.apply().ret == 0


def test_labels_are_enough_for_accuracy_and_macro_f1(repo: Repo, answered) -> None:
    answered(ACCURACY, labels(1.0), labels(1.5), ())
    run = repo.apply()
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert repo.verdicts() == dict.fromkeys(repo.verdicts(), "PASS")
    assert "golden_regression accuracy gain +0.1" in run.text


def test_worse_labels_fail(repo: Repo, answered) -> None:
    answered(ACCURACY, labels(1.5), labels(1.0), ())
    assert repo.apply().ret == 1
    assert repo.said_of("golden_regression")[1].startswith("accuracy gain -0.1")


def test_the_same_labels_are_the_same_model(repo: Repo, answered) -> None:
    answered(ACCURACY, labels(1.0), labels(1.0), ())
    assert repo.apply().ret == 1
    assert repo.said_of("is_new")[0] == "FAIL"


@pytest.mark.parametrize("metric", ["roc_auc_ovr", "multiclass_log_loss"])
def test_a_metric_that_needs_scores_names_itself(repo: Repo, answered, metric: str) -> None:
    answered(f"metrics = {{{metric} = 0.01}}", labels(1.0), labels(1.5), ())
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    verdict, sentence = repo.said_of("golden_regression")
    assert verdict == "ERROR"
    assert sentence.startswith(f"{metric}: credit v1 answers text labels, not scores: log it with `mlflow.pyfunc")


def test_a_class_that_was_not_taught(repo: Repo, answered) -> None:
    answered("", lambda y: probabilities(1.0)(y)[:, :2], lambda y: probabilities(1.5)(y)[:, :2], KINDS[:2])
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    assert "the golden set has rows of 'eel', which credit v1 was not taught: it knows the classes" in run.text

"""The gate `regression_pairs`: what the champion had right and the challenger has wrong is counted, and held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlrepo import BETTER, CHAMPION, Repo

GATES = ["core", "regression_pairs"]
PAIRS = "[tool.mlgates.regression_pairs]\n"


def right(share_wrong: float, seed: int = 0, of: slice = slice(None)) -> Callable[[Any], Any]:
    """Scores that decide rightly, but for a drawn share of the rows in `of`."""

    def make(y: Any) -> Any:
        rng = np.random.default_rng(seed)
        wrong = np.zeros(len(y), dtype=bool)
        wrong[of] = rng.random(len(y))[of] < share_wrong
        chance = np.where((y == 1) != wrong, 0.8, 0.2) + rng.normal(0, 0.01, len(y))
        return np.column_stack([1 - chance, chance])

    return make


def judged(repo: Repo) -> list[dict[str, Any]]:
    return [
        one for gate in repo.evidence()["gates"] if gate["name"] == "regression_pairs" for one in gate["judgements"]
    ]


def test_few_negative_flips_pass_and_the_largest_moves_are_kept(repo: Repo, spread: list[str]) -> None:
    repo.settings(gates=GATES, group=None)
    repo.answers(right(0.1, 1), right(0.02, 2), (0, 1))
    run = repo.run(*spread)
    assert repo.said_of("regression_pairs")[0] == "PASS", run.text
    [whole] = judged(repo)
    shown, kept = whole["evidence"], whole["evidence"]["details"]
    assert shown["measure"] == "negative flips"
    assert shown["interval"]["method"] == "Clopper-Pearson"
    assert shown["value"] * 1500 == pytest.approx(kept["rows"])
    assert kept["flips"] > shown["value"]
    moves = [abs(row["champion"] - row["challenger"]) for row in kept["largest_moves"]]
    assert len(moves) == 10
    assert moves == sorted(moves, reverse=True)


def test_a_better_model_that_loses_what_was_right_fails(repo: Repo) -> None:
    """The challenger is right on more rows, and wrong on many that the champion had right."""
    repo.settings(gates=["core", "regression_pairs"], group=None)
    repo.answers(right(0.3, 1), right(0.12, 2), (0, 1))
    run = repo.apply()
    assert (run.ret, repo.champion()) == (1, CHAMPION)
    assert repo.verdicts()["golden_regression"] == "PASS"
    verdict, said = repo.said_of("regression_pairs")
    assert verdict == "FAIL"
    assert said.startswith("negative flips 0.0")
    assert said.endswith("proven not <= 0.05")


def test_what_the_rows_cannot_tell_is_inconclusive(repo: Repo) -> None:
    repo.settings(f"{PAIRS}negative_flips = 0.02", gates=GATES, group=None)
    repo.answers(right(0.1, 1), right(0.022, 2), (0, 1))
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    verdict, said = repo.said_of("regression_pairs")
    assert verdict == "INCONCLUSIVE"
    assert said.endswith("the interval reaches across the limit <= 0.02")


def test_a_slice_that_loses_far_more_is_named(repo: Repo) -> None:
    """One row in twenty, but all of them among the first hundred: the slice of their sites."""
    repo.settings(
        '[tool.mlgates.slices]\nwhere = {first = "id < 100", rest = "id >= 100"}\n', gates=GATES, group=None, ignore=[]
    )
    repo.forget()
    repo.answers(right(0.0, 1), right(0.5, 2, slice(0, 100)), (0, 1))
    run = repo.run()
    verdict, said = repo.said_of("regression_pairs")
    assert verdict == "FAIL", run.text
    whole, worst = judged(repo)
    assert whole["verdict"] == "PASS"
    assert said.startswith("negative flips of a slice [first] 0.5")
    assert worst["evidence"]["interval"]["level"] == pytest.approx(1 - 2 * 0.05 / 2)


def test_rows_of_one_group_count_as_fewer(repo: Repo) -> None:
    """With a site's ten rows flipping together, the interval is that of far fewer rows."""
    repo.settings(gates=GATES)

    def together(y: Any) -> Any:
        chance = np.where((y == 1) != ((np.arange(len(y)) // 10) % 25 == 0), 0.8, 0.2)
        return np.column_stack([1 - chance, chance])

    repo.answers(right(0.0), together, (0, 1))
    repo.run()
    found = judged(repo)[0]["evidence"]
    assert found["value"] == pytest.approx(0.04)
    assert found["details"]["effective_rows"] < 200
    assert repo.said_of("regression_pairs")[0] == "INCONCLUSIVE"


def test_a_limit_on_how_far_any_score_moves(repo: Repo) -> None:
    repo.settings(f"{PAIRS}largest_move = 0.1", gates=GATES, group=None)
    repo.answers(right(0.1, 1), right(0.02, 2), (0, 1))
    assert repo.run().ret == 1
    whole, moves = judged(repo)
    assert whole["verdict"] == "PASS"
    assert moves["evidence"]["measure"] == "largest score move"
    assert moves["evidence"]["value"] > 0.5


def test_classes_flip_too(repo: Repo) -> None:
    kinds = ("cat", "dog", "eel")
    repo.rewrite_golden(lambda ls: [ls[0], *(f"{one[:-1]}{kinds[place % 3]}" for place, one in enumerate(ls[1:]))])
    repo.settings(
        "[tool.mlgates.golden_regression]\nmetrics = {accuracy = 0.01}", task="multiclass", gates=GATES, group=None
    )

    def wrong_on(rows: int) -> Callable[[Any], Any]:
        return lambda y: np.array(kinds)[np.where(np.arange(len(y)) < rows, (y + 1) % 3, y)]

    repo.answers(wrong_on(300), lambda y: wrong_on(30)(y[::-1])[::-1])
    run = repo.run()
    assert repo.said_of("regression_pairs")[0] == "PASS", run.text
    found = judged(repo)[0]["evidence"]
    assert found["value"] == pytest.approx(30 / 1500)
    assert found["details"]["flips"] == pytest.approx(330 / 1500)
    assert found["details"]["largest_moves"] == []


def test_a_regression_has_no_flips_and_needs_a_limit(repo: Repo) -> None:
    repo.settings(gates=GATES, task="regression", group=None)
    repo.answers(lambda y: y + 0.1, lambda y: y + 0.05)
    assert repo.apply().ret == 10
    assert repo.said_of("regression_pairs") == (
        "ERROR",
        "a regression has no decisions that could flip, so only the largest move is judged: write largest_move = ... "
        "in [tool.mlgates.regression_pairs], in the unit of the target",
    )
    repo.settings(f"{PAIRS}largest_move = 0.06")
    repo.answers(lambda y: y + 0.1, lambda y: y + 0.05)
    assert repo.run().ret == 0
    assert repo.said_of("regression_pairs") == ("PASS", "largest score move 0.05: proven <= 0.06")


def test_the_first_promotion_has_nothing_to_lose(repo: Repo) -> None:
    repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.6", gates=GATES)
    repo.point("champion", None)
    assert repo.run("--mlgate-challenger", BETTER).ret == 0
    assert "there is no champion whose right answers could be lost" in str(repo.evidence()["gates"])

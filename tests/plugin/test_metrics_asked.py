"""Which metrics are judged, and how: gains asked for, metrics of the user's own, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from mlrepo import BARELY, BETTER, CHAMPION, WORSE, Repo

OWN = """
def profit(y, scores):
    return float(((scores > 0.5) * (3 * y - 1)).mean())
def cost(y, scores):
    return -profit(y, scores)
def raises(y, scores):
    raise RuntimeError("no such customer")
def nan(y, scores):
    return float("nan")
def many(y, scores):
    return scores
def three(y, scores, x):
    return 1.0
def constant(y, scores):
    return 1.0
def takes_no_weights(y, scores):
    return 1.0
LIMIT = 3
"""


def judge(repo: Repo, table: str, *args: str) -> Any:
    repo.write("money.py", OWN)
    repo.settings(f"[tool.mlgates.golden_regression]\ndraws = 200\n{table}")
    return repo.apply(*args)


def judgements(repo: Repo) -> list[dict[str, Any]]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "golden_regression")
    return gate["judgements"]


class TestOfOnesOwn:
    PROFIT = 'metrics = {"money:profit" = 0.05}\ndirection = {"money:profit" = "higher"}'

    def test_a_function_is_judged_on_bootstrapped_clusters(self, repo: Repo, spread: list[str]) -> None:
        run = judge(repo, self.PROFIT, *spread)
        assert (run.ret, repo.champion()) == (0, BETTER)
        (only,) = judgements(repo)
        evidence = only["evidence"]
        assert (evidence["measure"], only["limit"]) == ("profit gain", ">= -0.05")
        assert evidence["interval"]["method"] == "paired bootstrap of 200 draws, t interval"
        assert evidence["interval"]["low"] > 0

    def test_a_worse_model_fails_on_it(self, repo: Repo) -> None:
        run = judge(repo, self.PROFIT, "--mlgate-challenger", WORSE)
        assert (run.ret, repo.champion()) == (1, CHAMPION)
        assert repo.said_of("golden_regression")[1].startswith("profit gain -0.2")

    def test_of_a_cost_lower_is_better(self, repo: Repo) -> None:
        table = 'metrics = {"money:cost" = 0.01}\ndirection = {"money:cost" = "lower"}'
        assert judge(repo, table.replace("lower", "higher")).ret == 1
        assert judge(repo, table).ret == 0

    def test_a_scorer_of_scikit_learn(self, repo: Repo) -> None:
        assert judge(repo, "metrics = {neg_brier_score = 0.005, accuracy = 0.01}").ret == 0
        assert [one["evidence"]["measure"] for one in judgements(repo)] == ["neg_brier_score gain", "accuracy gain"]
        assert all(one["evidence"]["value"] > 0.02 for one in judgements(repo))

    def test_a_first_champion_must_reach_a_floor_on_it(self, repo: Repo) -> None:
        repo.point("champion", None)
        run = judge(repo, f'{self.PROFIT}\n[tool.mlgates.first_promotion]\n"money:profit" = 0.9')
        assert (run.ret, repo.champion()) == (1, "none")
        assert "profit 0.6" in run.text and "proven not >= 0.9" in run.text

    @pytest.mark.parametrize(
        ("table", "sentence"),
        [
            (
                'metrics = {"money:profit" = 0.05}',
                "whether higher or lower is better of the metric money:profit is not",
            ),
            (
                'metrics = {roc_auc = 0.005}\ndirection = {"money:profit" = "higher"}',
                "direction in golden_regression (pyproject.toml [tool.mlgates]) names 'money:profit'",
            ),
            (
                "metrics = {roc_auc = 0.005}\nbetter = {brier = 0.01}",
                "better in golden_regression (pyproject.toml [tool.mlgates]) names 'brier', which is not judged",
            ),
            *(
                (f'metrics = {{"money:{name}" = 0.05}}\ndirection = {{"money:{name}" = "higher"}}', sentence)
                for name, sentence in {
                    "raises": "metric raises failed with RuntimeError: no such customer",
                    "nan": "metric nan returned nan; it must return one finite number",
                    "many": "metric many returned a ndarray of shape (1500,); it must return one finite number",
                    "three": "metric three failed with TypeError: three() missing 1 required positional argument: 'x'",
                    "constant": "metric constant does not move on any of 200 draws, though the models differ",
                    "LIMIT": "the metric 'money:LIMIT' is 3, not a function(y, scores) or a scorer",
                    "gone": "the metric 'money:gone': REPO/money.py has no gone",
                }.items()
            ),
            ('metrics = {"nowhere:f" = 0.1}', "there is no module 'nowhere' in REPO or among the installed packages"),
            (
                "metrics = {roc_acu = 0.005}",
                "unknown metric 'roc_acu' for task 'binary' (pyproject.toml [tool.mlgates])",
            ),
        ],
    )
    def test_what_is_no_metric_never_passes(self, repo: Repo, table: str, sentence: str) -> None:
        run = judge(repo, table)
        assert (run.ret, repo.champion()) == (10, CHAMPION)
        assert repo.said_of("golden_regression")[0] == "ERROR"
        assert sentence in run.text
        assert "Traceback" not in run.text

    @pytest.mark.parametrize(
        ("table", "sentence"),
        [
            ('direction = {"money:profit" = "up"}', "golden_regression.direction.money:profit in pyproject.toml"),
            (
                "better = {roc_auc = -0.1}",
                "golden_regression.better.roc_auc in pyproject.toml [tool.mlgates] cannot be",
            ),
            (
                'anchor = "maybe"',
                "golden_regression.anchor in pyproject.toml [tool.mlgates] must be one of 'prove', 'wa",
            ),
        ],
    )
    def test_a_wrong_setting(self, repo: Repo, table: str, sentence: str) -> None:
        run = judge(repo, table)
        assert (run.ret, repo.champion()) == (4, CHAMPION)
        assert sentence in run.text

    def test_weights_for_one_that_takes_none(self, repo: Repo) -> None:
        repo.rewrite_golden(lambda lines: [f"{lines[0]},w", *(f"{line},2.0" for line in lines[1:])])
        repo.settings(weight="w")
        run = judge(repo, 'metrics = {"money:profit" = 0.05}\ndirection = {"money:profit" = "higher"}')
        assert run.ret == 10
        assert "metric profit takes no weights; give its function a sample_weight parameter" in run.text


class TestBetter:
    """A gain that must be proven on one metric, beside "not worse" on another."""

    TABLE = "metrics = {roc_auc = 0.005, brier = 0.005}\nbetter = {roc_auc = 0.01}"

    def test_a_proven_gain_passes(self, repo: Repo) -> None:
        assert judge(repo, self.TABLE).ret == 0
        assert [one["limit"] for one in judgements(repo)] == ["> 0 and 0.01 or more", ">= -0.005"]

    def test_an_equal_model_is_not_promoted_by_it(self, repo: Repo) -> None:
        repo.settings(gates=["golden_integrity", "is_new", "golden_regression"])
        run = judge(repo, self.TABLE, "--mlgate-challenger", BARELY)
        assert (run.ret, repo.champion()) == (10, CHAMPION)
        assert [one["verdict"] for one in judgements(repo)] == ["INCONCLUSIVE", "PASS"]
        assert "would flip it: golden_regression: " in run.text, "the rows that would prove it are said"
        assert judge(repo, "", "--mlgate-challenger", BARELY).ret == 0, "not worse, it is"

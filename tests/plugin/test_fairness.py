"""The gate `fairness` in a run: what passes, what holds, what the table shows, and what the evidence keeps."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlrepo import BETTER, CHAMPION, LABELS, Repo

GATES = ["core", "fairness"]
SENSITIVE = ("sex", "race", "region")


def with_groups(lines: list[str]) -> list[str]:
    """Adds `sex` (m, f in turn), `race` (c: people with a small x1, whom every model rarely selects; z: three rows;
    else a) and `region` (one value, missing in every fifth row).
    """
    header, *rows = lines
    x1 = header.split(",").index("x1")
    made = [f"{header},{','.join(SENSITIVE)}"]
    for place, row in enumerate(rows):
        race = "z" if place in (5, 105, 205) else "c" if float(row.split(",")[x1]) < -0.8 else "a"
        made.append(f"{row},{'mf'[place % 2]},{race},{'' if place % 5 == 0 else 'north'}")
    return made


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models' answers on the widened golden set, kept from the first test that asked for them."""
    return tmp_path_factory.mktemp("fairness") / "cache"


@pytest.fixture
def people(repo: Repo, answers: Path) -> Iterator[Repo]:
    """`repo` whose golden set has three sensitive columns, which the models do not receive."""
    repo.rewrite_golden(with_groups)
    repo.settings(ignore=["id", *SENSITIVE], gates=GATES)
    cache = repo.path / ".mlgates" / "cache"
    if answers.exists():
        shutil.copytree(answers, cache, dirs_exist_ok=True)
    yield repo
    shutil.copytree(cache, answers, dirs_exist_ok=True)


def lines(repo: Repo) -> list[dict[str, Any]]:
    return next(gate for gate in repo.evidence()["gates"] if gate["name"] == "fairness")["judgements"]


def titles(repo: Repo) -> list[tuple[str, str, str]]:
    return [(one["verdict"], one["evidence"]["measure"], one["evidence"]["where"]) for one in lines(repo)]


def test_groups_treated_alike_pass_and_the_table_shows_every_figure(people: Repo, spread: list[str]) -> None:
    people.settings(sensitive=["sex"])
    run = people.run(*spread)
    assert run.ret == 0, run.lines
    assert people.verdicts()["fairness"] == "PASS"
    for said in (
        "disparate impact [sex=",
        "lowest/highest selection rate [sex: ",
        "demographic parity difference [sex: ",
        "equalized odds difference [sex: ",
        "no group worse off than with the champion [sex: ",
    ):
        assert said in run.text
    kept = lines(people)[0]["evidence"]["details"]
    assert kept["decision"] == "the model's own labels"
    assert [group["group"] for group in kept["by_group"]] == ["f", "m"]
    assert all(len(group["true_positive_rate"]) == 3 for group in kept["by_group"])


def test_a_group_proven_below_and_a_group_too_small_hold_and_are_named(people: Repo) -> None:
    people.settings(sensitive=["race"])
    run = people.apply()
    assert (run.ret, people.champion()) == (1, CHAMPION)
    verdict, sentence = people.said_of("fairness")
    assert verdict == "FAIL"
    assert sentence.startswith("disparate impact [race=c (champion 0.")
    assert sentence.endswith("proven not >= 0.8")
    found = {where: said for said, measure, where in titles(people) if measure == "disparate impact"}
    assert [*found.values()] == ["FAIL", "INCONCLUSIVE"]
    assert "race=z (3 rows, " not in run.text
    assert "this group cannot be told from 0.8 against a: z (3 rows, " in str(people.evidence())
    assert "rows of race=z (now 3)" in run.text


def test_the_same_figures_with_workers_and_without(people: Repo) -> None:
    people.settings("[tool.mlgates.fairness]\ncrossed = [['sex', 'race']]", sensitive=["sex", "race"])
    seen = []
    for args in ([], ["-n", "2"]):
        people.run(*args)
        seen.append(lines(people))
    assert seen[0] == seen[1]
    assert {"sex & race"} <= {one["evidence"]["where"].split("=")[0].split(":")[0] for one in seen[0]}


def test_a_group_too_small_alone_is_inconclusive_and_pooling_says_whom_it_pools(people: Repo) -> None:
    people.rewrite_golden(lambda rows: [row.replace(",c,", ",a,") for row in rows])
    people.settings(sensitive=["race"])
    run = people.apply()
    assert (run.ret, people.champion()) == (10, CHAMPION)
    assert people.said_of("fairness")[0] == "INCONCLUSIVE"
    people.rewrite_golden(lambda rows: [row.replace(",a,", ",b,") if i % 9 == 1 else row for i, row in enumerate(rows)])
    people.settings("[tool.mlgates.fairness]\npool_below = 200", sensitive=["race"])
    people.run()
    assert any("race=pooled: b, z" in where for _, _, where in titles(people))


def test_missing_values_are_a_group_of_their_own(people: Repo) -> None:
    people.settings(sensitive=["region"])
    assert people.run().ret == 0
    assert lines(people)[0]["evidence"]["where"].startswith("region=(missing) (champion ")


def test_one_group_only_cannot_be_compared(people: Repo) -> None:
    people.rewrite_golden(lambda rows: [row if i == 0 else row + ",1" for i, row in enumerate(rows)])
    people.rewrite_golden(lambda rows: [f"{rows[0]},one", *rows[1:]])
    people.settings(sensitive=["one"], ignore=["id", "one", *SENSITIVE])
    run = people.apply()
    assert (run.ret, people.champion()) == (10, CHAMPION)
    assert "one has one group only, 1: there is nothing to compare it with" in run.text


def test_production_shares_that_the_rows_miss_ask_for_085_and_the_gap_is_printed(people: Repo) -> None:
    people.settings("[tool.mlgates.fairness.production_shares]\nsex = {m = 0.7, f = 0.3}", sensitive=["sex"])
    run = people.run()
    assert run.ret == 0
    assert "gap to production shares [sex: f is 0.5 of the rows, 0.3 declared] 0.2 " in run.text
    assert "above 0.05 asks 0.85" in run.text
    assert [one["limit"] for one in lines(people) if one["evidence"]["measure"] == "disparate impact"] == [">= 0.85"]
    people.settings("[tool.mlgates.fairness.production_shares]\nsex = {m = 0.5, f = 0.5}", sensitive=["sex"])
    people.run()
    assert [one["limit"] for one in lines(people) if one["evidence"]["measure"] == "disparate impact"] == [">= 0.8"]


def test_a_declared_group_without_rows_is_named_and_holds(people: Repo) -> None:
    people.settings("[tool.mlgates.fairness.production_shares]\nsex = {m = 0.5, f = 0.49, x = 0.01}", sensitive=["sex"])
    run = people.apply()
    assert (run.ret, people.champion()) == (10, CHAMPION)
    assert "x (no rows)" in run.text


def test_limits_that_are_set_judge(people: Repo) -> None:
    people.settings(
        """
        [tool.mlgates.fairness]
        demographic_parity = 0.15
        equalized_odds = 0.001
        groups = {true_positive_rate = 0.5, roc_auc = 0.99}
        """,
        sensitive=["sex"],
    )
    run = people.apply()
    assert (run.ret, people.champion()) == (1, CHAMPION)
    said = {measure: verdict for verdict, measure, _ in titles(people)}
    assert said["demographic parity difference"] == "PASS"
    assert said["equalized odds difference"] == "INCONCLUSIVE"
    assert said["true_positive_rate"] == "PASS"
    assert said["roc_auc"] == "FAIL"


def test_a_production_sample_is_judged_instead_and_recorded(people: Repo) -> None:
    golden = (people.path / "golden.csv").read_text().splitlines()
    sample = people.write("sample.csv", "\n".join([golden[0], *golden[1:801]]) + "\n")
    people.settings('[tool.mlgates.fairness]\nsample = "sample.csv"', sensitive=["sex"])
    run = people.run()
    assert run.ret == 0, run.lines
    kept = lines(people)[0]["evidence"]
    assert kept["n"] == 800
    assert kept["details"]["rows"] == "declared production sample"
    assert kept["details"]["sample"] == "sample.csv"
    assert kept["details"]["sample_sha256"] == hashlib.sha256(sample.read_bytes()).hexdigest()


def test_fairlearn_agrees_where_it_is_asked(people: Repo) -> None:
    pytest.importorskip("fairlearn")
    people.settings("[tool.mlgates.fairness]\nfairlearn = true", sensitive=["sex"])
    assert people.run().ret == 0
    assert lines(people)[0]["evidence"]["details"]["fairlearn"].startswith("equal to fairlearn within ")


def test_the_first_promotion_has_no_champion_to_be_worse_than(people: Repo) -> None:
    people.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.6", sensitive=["sex"])
    people.point("champion", None)
    run = people.run("--mlgate-challenger", BETTER)
    assert run.ret == 0, run.lines
    assert "champion" not in str([where for _, _, where in titles(people)])


def test_a_balanced_set_without_weights_cannot_say(people: Repo) -> None:
    people.settings(sensitive=["sex"], sampled="balanced")
    run = people.apply()
    assert (run.ret, people.champion()) == (10, CHAMPION)
    verdict, sentence = people.said_of("fairness")
    assert verdict == "INCONCLUSIVE"
    assert "this figure needs the true prevalence" in sentence
    people.settings(sensitive=["sex"], sampled="balanced", prevalence=0.3)
    assert people.run().ret == 0


@pytest.mark.parametrize(
    ("keys", "table", "code", "sentence"),
    [
        ({"sensitive": []}, "", 10, 'the settings name no column of them: write sensitive = ["sex"], say'),
        (
            {"sensitive": ["site"], "group": None, "ignore": ["id", "site", *SENSITIVE]},
            "",
            10,
            "the sensitive column 'site' has 150 values, more than 50 groups: add a column of groups",
        ),
        (
            {"sensitive": ["sex"]},
            'reference = {sex = "w"}',
            10,
            "the reference group 'w' of sex does not occur: known here: f, m",
        ),
        ({"sensitive": ["sex"]}, "reference = {sex = 1}", 4, "fairness.reference.sex in pyproject.toml"),
        (
            {"sensitive": ["sex"]},
            'reference = {seks = "m"}',
            10,
            "[tool.mlgates.fairness] reference names 'seks', which is neither sensitive nor crossed: known here: sex",
        ),
        (
            {"sensitive": ["sex"]},
            'crossed = [["sex", "rase"]]',
            10,
            "[tool.mlgates.fairness] crossed names a column 'rase' that is not sensitive",
        ),
        ({"sensitive": ["sex"]}, 'crossed = [["sex"]]', 4, "fairness.crossed.0 in pyproject.toml"),
        ({"sensitive": ["sex"]}, 'crossed = [["sex", "sex"]]', 4, "an intersection needs different columns"),
        (
            {"sensitive": ["sex"]},
            "production_shares = {sex = {m = 0.7, f = 0.7}}",
            4,
            "the shares of 'sex' must add up to 1, not 1.4: name every group",
        ),
        ({"sensitive": ["sex"]}, 'sample = "no.parquet"', 10, "the fairness sample REPO/no.parquet cannot be read"),
        ({"sensitive": ["sex"]}, "equalised_odds = 0.1", 4, "did you mean 'equalized_odds'?"),
        ({"sensitive": ["sex"]}, "groups = {auc = 0.8}", 4, "fairness.groups.auc.[key] in pyproject.toml"),
    ],
)
def test_bad_input_holds_with_one_sentence(
    people: Repo, keys: dict[str, Any], table: str, code: int, sentence: str
) -> None:
    people.settings(f"[tool.mlgates.fairness]\n{table}", **keys)
    run = people.apply()
    assert (run.ret, people.champion()) == (code, CHAMPION), run.lines
    assert sentence in run.text


def test_a_sample_cut_off_midway_is_no_sample(people: Repo) -> None:
    import pandas as pd

    file = people.path / "sample.parquet"
    pd.read_csv(people.path / "golden.csv").to_parquet(file)
    file.write_bytes(file.read_bytes()[:-200])
    people.settings('[tool.mlgates.fairness]\nsample = "sample.parquet"', sensitive=["sex"])
    run = people.apply()
    assert (run.ret, people.champion()) == (10, CHAMPION)
    assert "the fairness sample REPO/sample.parquet cannot be read as parquet: " in run.text


def test_a_model_of_labels_alone_is_judged_by_its_labels(people: Repo) -> None:
    """Only fairness: what ranks needs scores, and that is another gate's to say."""
    people.settings(sensitive=["sex"])
    run = people.run("--mlgate-challenger", LABELS)
    assert run.ret != 0
    assert people.verdicts()["golden_regression"] == "ERROR"
    assert people.verdicts()["fairness"] == "PASS"
    assert lines(people)[0]["evidence"]["details"]["by_group"][0]["roc_auc"] == "the model gives no scores"


def test_the_gate_is_left_alone_when_nobody_asks_for_it(repo: Repo) -> None:
    run = repo.run()
    assert run.ret == 0
    assert "fairness" not in repo.verdicts()

"""The gate `slices` in a run: what it holds, what the table shows, and what the evidence keeps."""

from __future__ import annotations

import pytest

from mlrepo import BETTER, CHAMPION, WORSE, Repo

DECLARED = """
[tool.mlgates.slices]
bins = {x1 = [0.0]}
where = {both = "x1 > 0 and x2 > 0"}
"""
GATES = ["core", "slices"]


def test_a_better_model_passes_and_the_table_shows_the_worst_slice(repo: Repo, spread: list[str]) -> None:
    repo.settings(DECLARED, gates=GATES)
    run = repo.run(*spread)
    assert run.ret == 0
    assert repo.verdicts()["slices"] == "PASS"
    assert "unharmed [worst: " in run.text
    kept = repo.evidence()["gates"][-1]["judgements"][0]["evidence"]["details"]
    assert {"x1<0", "x1>=0", "both"} <= {part["name"] for part in kept["slices"]}
    assert sum(part["origin"] == "found" for part in kept["slices"]) <= 3


def test_a_harmed_slice_holds_and_is_named(repo: Repo) -> None:
    repo.settings(DECLARED, gates=GATES)
    run = repo.apply("--mlgate-challenger", WORSE)
    assert (run.ret, repo.champion()) == (1, CHAMPION)
    verdict, sentence = repo.said_of("slices")
    assert verdict == "FAIL"
    assert "slices harmed: " in sentence
    rows = repo.evidence()["gates"][-1]["judgements"]
    assert [row["verdict"] for row in rows] == ["FAIL"] * len(rows)
    assert "x1<0" in [row["evidence"]["where"] for row in rows[1:]]


def test_the_same_slices_are_found_with_workers_and_without(repo: Repo) -> None:
    repo.settings(DECLARED, gates=GATES)
    seen = []
    for args in ([], ["-n", "2"]):
        repo.run("--mlgate-challenger", WORSE, *args)
        seen.append(repo.evidence()["gates"][-1])
    assert seen[0] == seen[1]


def test_a_required_slice_that_is_too_small_is_inconclusive(repo: Repo) -> None:
    repo.settings('[tool.mlgates.slices]\nbins = {x1 = [2.5]}\nrequired = ["x1>=2.5"]', gates=GATES)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    assert repo.said_of("slices")[0] == "INCONCLUSIVE"
    assert "[x1>=2.5]: a required slice, but it has " in run.text


def test_the_first_promotion_has_no_slices_to_compare(repo: Repo) -> None:
    repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.6", gates=GATES)
    repo.point("champion", None)
    run = repo.run("--mlgate-challenger", BETTER)
    assert run.ret == 0
    assert repo.verdicts()["slices"] == "PASS"
    assert "there is no champion to compare slices with" in str(repo.evidence()["gates"][-1])


@pytest.mark.parametrize(
    ("table", "code", "sentence"),
    [
        ('columns = ["x9"]', 10, "slices name a column 'x9' that neither the models receive nor `sensitive`"),
        ('where = {odd = "x1 >"}', 10, "slice 'odd': 'x1 >' cannot be evaluated on the golden set"),
        ('where = {none = "x1 > 99"}', 10, "slice 'none' is empty: no row of the golden set belongs to it"),
        ("bins = {x1 = [1.0, 0.0]}", 4, "the edges of 'x1' must ascend: [1.0, 0.0]"),
        ("margin = -0.1", 4, "slices.margin in "),
    ],
)
def test_a_wrong_slice_holds_with_one_sentence(repo: Repo, table: str, code: int, sentence: str) -> None:
    repo.settings(f"[tool.mlgates.slices]\n{table}", gates=GATES)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (code, CHAMPION)
    assert sentence in run.text

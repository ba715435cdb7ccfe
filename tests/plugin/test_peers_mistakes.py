"""Mistakes that other tools made, each named after the tool (field-notes.md). None of them promotes here."""

from __future__ import annotations

import pytest

from mlrepo import BARELY, BETTER, CHAMPION, COPY, NAN, RAISES, WORSE, Repo, Run

MINE = '@pytest.mark.mlgate("mine")\ndef test_mine(gate):\n    {}\n'


def held(repo: Repo, run: Run, code: int, sentence: str, champion: str = CHAMPION) -> None:
    assert sentence in run.text
    assert (run.ret, repo.champion()) == (code, champion)


def test_mlflow_passes_a_candidate_whose_metric_is_nan(repo: Repo) -> None:
    repo.gates(MINE.format("gate.judge(Evidence('accuracy', float('nan'), n=100), at_least(0.8))"), "mine")
    held(repo, repo.apply(), 10, "accuracy: the figure is not a number (NaN)")


def test_mlflow_passes_a_model_that_answers_nan(repo: Repo) -> None:
    held(repo, repo.apply("--mlgate-challenger", NAN), 10, "answered NaN or infinity for 3 of 1500 rows")


def test_mlflow_passes_empty_thresholds(repo: Repo) -> None:
    repo.settings(gates=[])
    held(repo, repo.apply(), 4, " is empty: nothing asked is nothing proven")


def test_tfma_passes_a_threshold_whose_metric_is_missing(repo: Repo) -> None:
    repo.settings("[tool.mlgates.golden_regression]\nmetrics = {roc_auk = 0.01}\n")
    held(repo, repo.apply(), 10, "unknown metric 'roc_auk' for task 'binary'")


def test_tfma_validates_when_no_metric_was_computed_at_all(repo: Repo) -> None:
    repo.gates(MINE.format("pass"), "mine")
    held(repo, repo.apply(), 10, "mine: the gate judged nothing")


def test_tfma_computes_an_interval_and_decides_on_the_point(repo: Repo) -> None:
    repo.gates(MINE.format("gate.judge(Evidence('gain', .02, 50, Interval(-.01, .05, .9, 't')), at_least(0))"), "mine")
    held(repo, repo.apply(), 10, "mine: gain +0.0200 [-0.0100, +0.0500]: the interval reaches across the limit >= 0")


def test_the_shipped_gates_decide_on_the_interval_too(repo: Repo) -> None:
    run = repo.apply("--mlgate-challenger", BARELY)
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "bootstrap_auc")
    interval = gate["judgements"][0]["evidence"]["interval"]
    assert interval["low"] < 0 < interval["high"]
    held(repo, run, 10, "the interval reaches across the limit > 0")


def test_deepchecks_counts_a_crashed_check_as_passed(repo: Repo) -> None:
    repo.gates(MINE.format("gate.judge(*good()); raise RuntimeError('out of memory')"), "mine")
    held(repo, repo.apply(), 10, "mine: the gate crashed: RuntimeError: out of memory")


@pytest.mark.long
def test_argo_counts_an_analysis_of_nothing_but_errors_as_successful(repo: Repo) -> None:
    repo.point("champion", RAISES)
    held(repo, repo.apply("--mlgate-challenger", RAISES), 1, "same version, v6", champion=RAISES)
    held(
        repo,
        repo.apply("--mlgate-challenger", NAN),
        10,
        "raised RuntimeError: the feature store is down",
        champion=RAISES,
    )


def test_dash_mlops_promotes_when_the_champion_cannot_be_looked_up(repo: Repo) -> None:
    with repo.database() as db:
        db.execute("drop table registered_model_aliases")
    run = repo.apply("--mlgate-challenger", BETTER)
    assert run.ret == 10
    assert "did not answer while looking up 'champion'" in run.text
    with repo.database() as db:
        assert not db.execute("select name from sqlite_master where name = 'registered_model_aliases'").fetchall()


def test_dash_mlops_promotes_when_there_is_no_champion(repo: Repo) -> None:
    repo.point("champion", None)
    held(repo, repo.apply(), 10, "credit has no champion ('champion') to compare with", champion="none")


@pytest.mark.parametrize("copy", [CHAMPION, COPY], ids=["the same number", "logged again"])
def test_mlflow_compares_a_candidate_with_itself(repo: Repo, copy: str) -> None:
    repo.settings("[tool.mlgates.bootstrap_auc]\nbetter = false\n")
    held(repo, repo.apply("--mlgate-challenger", copy), 1, "is_new: ")


@pytest.mark.parametrize("version", [WORSE, BETTER])
def test_a_candidate_is_compared_with_a_number_logged_on_other_data(repo: Repo, version: str) -> None:
    """Both are scored on the same rows now: no metric or tag that somebody logged changes anything."""
    repo.run("--mlgate-challenger", version)
    honest = [repo.said_of(name) for name in ("golden_regression", "bootstrap_auc")]
    with repo.database() as db:
        for number, auc in ((WORSE, "0.99"), (CHAMPION, "0.98"), (BETTER, "0.01")):
            for key in ("roc_auc", "mlgates.roc_auc", "validation_status"):
                db.execute(
                    "insert into model_version_tags (name, version, key, value) values ('credit', ?, ?, ?)",
                    (number, key, auc),
                )
    repo.run("--mlgate-challenger", version)
    assert [repo.said_of(name) for name in ("golden_regression", "bootstrap_auc")] == honest

"""Ledger, alias or version are not what they were: nothing is promoted, one sentence says what it is and what to do."""

from __future__ import annotations

import pytest

from liverepo import promote
from mlrepo import ALIASES, BARELY, BETTER, CHAMPION, MODEL, RAISES, WORSE, Repo
from pytest_mlgates.cli import main

LEDGER = f"{MODEL}.mlgates-ledger"
TAGS = "model_version_tags"


@pytest.fixture
def promoted(repo: Repo) -> Repo:
    """v1 was champion, v2 is by entry 2 of the ledger; v5 is the next challenger."""
    assert repo.apply().ret == 0
    repo.point("challenger", BARELY)
    return repo


@pytest.fixture
def begun(repo: Repo) -> Repo:
    """v1 is champion and v3 was held by entry 2 of the ledger; v2, the challenger, would be promoted."""
    assert repo.apply("--mlgate-challenger", WORSE).ret == 1
    return repo


def execute(repo: Repo, *statements: str) -> None:
    with repo.database() as db:
        for statement in statements:
            db.execute(statement)


def test_an_entry_of_a_newer_version(begun: Repo) -> None:
    where = f"where name = '{LEDGER}' and version = 2"
    execute(begun, f"update {TAGS} set value = '2' {where} and key = 'mlgates.schema'")
    run = begun.apply()
    assert (run.ret, begun.champion()) == (10, CHAMPION)
    assert (
        "the ledger cannot be relied on: entry 2 was written by a newer pytest-mlgates (schema 2, this one reads up to "
        "1): upgrade. Nothing was changed" in run.text
    )
    assert main(["reconcile", "--accept", "2", "--reason", "whatever"]) != 0, "an older one cannot wave it through"


def test_tags_edited_by_hand(begun: Repo) -> None:
    where = f"where name = '{LEDGER}' and version = 2"
    execute(begun, f"update {TAGS} set value = 'eve' {where} and key = 'mlgates.actor'")
    run = begun.apply()
    assert (run.ret, begun.champion()) == (10, CHAMPION)
    assert "entry 2 was altered: its facts no longer match its digest. Nothing was changed; restore it" in run.text


def test_a_deleted_companion_model(begun: Repo) -> None:
    tables = (TAGS, "model_versions", "registered_model_tags", "registered_models")
    execute(begun, *(f"delete from {table} where name = '{LEDGER}'" for table in tables))
    run = begun.apply()
    assert (run.ret, begun.champion()) == (10, CHAMPION)
    assert f"the ledger '{LEDGER}' was deleted: the model says it has one (tag mlgates.ledger)" in run.text


@pytest.mark.slow
def test_a_champion_whose_version_was_deleted(promoted: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """MLflow takes the alias away with it."""
    where = f"where name = '{MODEL}' and version = {BETTER}"
    execute(promoted, f"update model_versions set current_stage = 'Deleted_Internal' {where}")
    promoted.point("champion", None)
    run = promoted.apply()
    assert (run.ret, promoted.champion()) == (10, "none")
    assert (
        f"'champion' means nothing: v{BETTER}, champion by entry 2 of the ledger, was deleted from the registry. Roll "
        "back with `mlgates rollback`" in run.text
    )
    capsys.readouterr()
    assert main(["rollback", "--reason", "its version was deleted", "--yes"]) == 0
    assert promoted.champion() == CHAMPION
    promoted.forget()
    assert "moved by hand" not in promoted.run().text


def test_an_alias_that_points_nowhere(begun: Repo) -> None:
    execute(begun, f"update {ALIASES} set version = 99 where name = '{MODEL}' and alias = 'champion'")
    run = begun.apply()
    assert (run.ret, begun.champion()) == (10, "99")
    assert "'champion'" in run.text
    assert "was removed by hand" in run.text


def test_a_challenger_alias_that_points_nowhere(repo: Repo) -> None:
    execute(repo, f"update {ALIASES} set version = 99 where name = '{MODEL}' and alias = 'challenger'")
    run = repo.apply()
    assert (run.ret, repo.champion()) == (4, CHAMPION)
    assert "no challenger: credit has no version 'challenger'" in run.text


def test_two_versions_of_one_run(repo: Repo) -> None:
    with repo.database() as db:
        (run_id,) = db.execute("select run_id from model_versions where version = 2").fetchone()
        db.execute("update model_versions set run_id = ? where version = 3", (run_id,))
    run = repo.apply("--mlgate-challenger", f"runs:/{run_id}/model")
    assert (run.ret, repo.champion()) == (4, CHAMPION)
    assert f"runs:/{run_id}/model is registered as the versions 2, 3 of credit: name one of them" in run.text


@pytest.mark.slow
def test_a_version_that_was_rolled_back_needs_an_override_to_serve_again(
    monkeypatch: pytest.MonkeyPatch, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    assert repo.apply().ret == 0
    assert main(["rollback", "--reason", "errors doubled", "--yes"]) == 0
    run = repo.apply()
    assert (run.ret, repo.champion()) == (1, CHAMPION)
    assert (
        f"HOLD credit v{BETTER}: v{BETTER} was rolled back from by ada (ledger entry 3: errors doubled); only `mlgates "
        f"promote {BETTER} --override --reason ...` lets it serve again" in run.text
    )
    assert main(["promote", BETTER, "--override", "--reason", "it was the network", "--yes"]) == 0
    repo.point("challenger", BARELY)
    assert "was rolled back from" not in repo.run().text
    assert main(["history"]) == 0
    said = capsys.readouterr().out
    assert [line.split("  ")[-1] for line in said.splitlines() if line.startswith("v")] == [
        "override by ada (entry 5)",
        "rollback by ada (entry 3)",
        "promote by ada (entry 2)",
        "genesis by ada (entry 1)",
    ]


def proven_bad(repo: Repo) -> None:
    """Whoever is champion, a gate that may act alone has proof against it."""
    repo.gates(
        """
        @pytest.mark.mlgate("errors", phase="live", tier="act")
        def test_errors(gate):
            gate.judge(Evidence("error rate", 0.5, n=1000), at_most(0.01))
        """
    )
    repo.settings(gates_live=["golden_integrity", "errors"])


def test_proof_that_the_champion_is_bad_rolls_it_back(promoted: Repo) -> None:
    proven_bad(promoted)
    look = promoted.run("--mlgate-phase", "live")
    assert (look.ret, promoted.champion()) == (1, BETTER)
    run = promoted.apply("--mlgate-phase", "live")
    assert (run.ret, promoted.champion()) == (1, CHAMPION)
    assert f"'champion' is v{CHAMPION} again, instead of v{BETTER} (entry 3)" in run.text
    promoted.point("challenger", BETTER)
    again = promoted.apply()
    assert (again.ret, promoted.champion()) == (1, CHAMPION)
    assert f"HOLD credit v{BETTER}: v{BETTER} was rolled back from by" in again.text


@pytest.mark.slow
def test_after_a_rollback_that_has_not_helped_a_person_decides(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the versions that are left would be taken out of service one after the other, for a fault elsewhere."""
    for version in (BETTER, BARELY):
        promote(repo, monkeypatch, version=version)
    proven_bad(repo)
    assert (repo.apply("--mlgate-phase", "live").ret, repo.champion()) == (1, BETTER)
    run = repo.apply("--mlgate-phase", "live")
    assert (run.ret, repo.champion()) == (1, BETTER)
    assert "PAGE credit v2: errors: error rate 0.5: proven not <= 0.01" in run.text
    assert "not rolled back: the last rollback was 0 min ago and has not helped (cool-down is " in run.text


@pytest.mark.slow
def test_a_former_champion_that_does_not_load_is_passed_over(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (RAISES, BETTER):
        promote(repo, monkeypatch, version=version)
    proven_bad(repo)
    run = repo.apply("--mlgate-phase", "live")
    assert (run.ret, repo.champion()) == (1, CHAMPION), run.text
    assert (
        f"'champion' is v{CHAMPION} again, instead of v{BETTER} (entry 4); v{RAISES} cannot serve again: " in run.text
    )

"""The ledger as people meet it: promote, look back, roll back, override, move by hand."""

from __future__ import annotations

import json

import pytest

from mlrepo import BETTER, CHAMPION, WORSE, Repo
from pytest_mlgates.cli import main


@pytest.fixture
def mlgates(repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs `mlgates ...` in the repository: (exit code, stdout, stderr)."""
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.delenv("MLGATES_MODEL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_history_says_who_why_and_on_which_evidence(repo: Repo, mlgates) -> None:
    assert repo.apply().ret == 0
    code, out, _ = mlgates("history")
    assert code == 0
    first, reason, evidence = out.splitlines()[1:4]
    assert first.startswith(f"v{BETTER} ")
    assert first.endswith("still champion  promote by ada (entry 2)")
    assert reason.strip() == f"all 4 required gates passed against v{CHAMPION}"
    assert evidence.strip().startswith("evidence ")

    told = json.loads(mlgates("history", "--json")[1])
    assert [entry["kind"] for entry in told["entries"]] == ["genesis", "promote"]
    assert told["champion"] == BETTER


def test_a_rollback_goes_to_the_version_that_really_served(repo: Repo, mlgates) -> None:
    repo.apply()
    code, out, _ = mlgates("rollback", "--reason", "errors doubled", "--yes")
    assert (code, repo.champion()) == (0, CHAMPION)
    assert out == f"'champion' is v{CHAMPION} now, instead of v{BETTER} (ledger entry 3)\n"
    code, _, err = mlgates("rollback", "--reason", "again", "--yes")
    assert (code, repo.champion()) == (2, CHAMPION)
    assert "nothing to roll back to" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--reason", " ", "--yes"], "the reason is empty"),
        (["--reason", "x"], "There is no terminal to ask on: add --yes"),
        (["--reason", "x", "--yes", "--to", "99"], "credit has no version '99'; it has: "),
    ],
)
def test_a_rollback_that_is_not_meant_changes_nothing(repo: Repo, mlgates, arguments: list[str], sentence: str) -> None:
    repo.apply()
    code, _, err = mlgates("rollback", *arguments)
    assert (code, repo.champion()) == (2, BETTER)
    assert sentence in err


def test_a_version_that_does_not_load_is_no_way_back(repo: Repo, mlgates) -> None:
    from mlrepo import DIES

    repo.apply()
    code, _, err = mlgates("rollback", "--to", DIES, "--reason", "x", "--yes")
    assert (code, repo.champion()) == (2, BETTER)
    assert "was killed by SIGKILL" in err or "ended with exit code" in err


def test_an_override_is_on_the_record_and_shown_until_a_normal_promotion(repo: Repo, mlgates) -> None:
    code, _, err = mlgates("promote", WORSE, "--reason", "the board wants it", "--yes")
    assert (code, repo.champion()) == (2, CHAMPION)
    assert "say --override" in err

    code, out, _ = mlgates("promote", WORSE, "--override", "--reason", "the board wants it", "--yes")
    assert (code, repo.champion()) == (0, WORSE)
    assert out == f"'champion' is v{WORSE} now, instead of v{CHAMPION}: an override by ada (ledger entry 2)\n"

    shown = f"OVERRIDE: v{WORSE} is champion by an override of ada: the board wants it"
    assert shown in mlgates("status")[1]
    assert shown in repo.run().text
    assert repo.apply().ret == 0
    assert "OVERRIDE" not in mlgates("status")[1]


def test_a_move_by_hand_is_named_and_never_undone_unasked(repo: Repo, mlgates) -> None:
    repo.apply()
    repo.point("champion", CHAMPION)
    run = repo.apply("--mlgate-challenger", WORSE)
    assert run.ret in (1, 10)
    assert f"'champion' was moved by hand to v{CHAMPION}" in run.text
    assert repo.champion() == CHAMPION
    assert mlgates("status")[0] == 10
    assert mlgates("reconcile")[0] == 10

    code, out, _ = mlgates("reconcile", "--on-hand-move", "adopt", "--reason", "on call")
    assert code == 0
    assert f"v{CHAMPION} is recorded as champion" in out
    assert mlgates("status")[0] == 0


def test_a_good_challenger_is_held_while_the_alias_is_not_what_the_ledger_says(repo: Repo) -> None:
    repo.apply()
    repo.point("champion", CHAMPION)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)


def test_what_a_killed_run_left_is_finished_by_the_next_one(repo: Repo, mlgates) -> None:
    """Killed after the entry was written and before the alias moved: the log is the truth."""
    repo.apply()
    with repo.database() as db:
        db.execute(
            "delete from model_version_tags where name = 'credit.mlgates-ledger' and key in (?, ?)",
            ("mlgates.projected", "mlgates.superseded"),
        )
    repo.point("champion", CHAMPION)
    look = repo.run()
    assert "ledger entry 2 was left unfinished" in look.text
    assert repo.champion() == CHAMPION, "looking repairs nothing"
    run = repo.apply()
    assert f"mlgates: repaired: 'champion' moved from v{CHAMPION} to v{BETTER}" in run.text
    assert (run.ret, repo.champion()) == (0, BETTER)


def test_the_audit_mirror_finds_an_altered_entry(repo: Repo, mlgates) -> None:
    repo.apply()
    file = repo.path / ".mlgates" / "audit.log"
    code, out, _ = mlgates("audit", "verify")
    assert (code, out) == (0, f"{file}: 2 entries, every seal holds, as in the registry\n")
    file.write_bytes(file.read_bytes().replace(b'"promote"', b'"PROMOTE"'))
    code, out, _ = mlgates("audit", "verify")
    assert code == 1
    assert "entry 2" in out


def test_the_budget_counts_distinct_challengers(repo: Repo) -> None:
    assert "golden set budget: 0 of 20 challengers judged on it" in repo.run().text
    run = repo.run("--mlgate-record", "--mlgate-challenger", WORSE)
    assert f"recorded that credit v{WORSE} was judged (ledger entry 2)" in run.text
    repo.run("--mlgate-record", "--mlgate-challenger", WORSE)
    assert "golden set budget: 1 of 20 challengers judged on it" in repo.run().text


def test_a_budget_that_is_enforced_and_used_up_holds(repo: Repo) -> None:
    repo.settings(budget="enforce", budget_size=1)
    repo.run("--mlgate-record", "--mlgate-challenger", WORSE)
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    assert "the golden set's budget of 1 challengers is used up" in run.text


def test_an_enforced_budget_widens_every_interval(repo: Repo) -> None:
    def width() -> float:
        repo.run()
        gates = {gate["name"]: gate for gate in repo.evidence()["gates"]}
        ends = gates["golden_regression"]["judgements"][0]["evidence"]["interval"]
        return ends["high"] - ends["low"]

    advised = width()
    repo.settings(budget="enforce")
    assert width() > 1.5 * advised

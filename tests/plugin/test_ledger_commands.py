"""The ledger as people meet it: promote, look back, roll back, override, move by hand."""

from __future__ import annotations

import json

import pytest

from mlrepo import BARELY, BETTER, CHAMPION, DIES, LABELS, MOVES_THE_ALIAS, NAN, WORSE, Repo
from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.report import evidence_file


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


def test_history_is_pictured_too(repo: Repo, mlgates) -> None:
    assert repo.apply().ret == 0
    file = repo.path / "history.html"
    assert mlgates("history", "--html", str(file)) == (0, f"written: {file}\n", "")
    assert f"promote v{BETTER}" in file.read_text()
    assert "entry 2 by ada" in file.read_text()
    code, _, err = mlgates("history", "--html", str(file), "--last", "0")
    assert (code, err) == (2, "mlgates history: --last is 0: give the number of decisions to show, 1 or more\n")
    code, _, err = mlgates("history", "--html", str(repo.path))
    assert (code, err) == (2, f"mlgates history: {repo.path} could not be written (Is a directory)\n")


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


@pytest.mark.slow
@pytest.mark.parametrize("command", [("rollback",), ("promote", WORSE, "--override")], ids=lambda command: command[0])
class TestAMoveThatDoesNotEndWell:
    """The exit codes are those of a run: 10 when another move came first, 11 when nobody knows what serves."""

    def test_an_alias_that_cannot_be_moved(self, repo: Repo, mlgates, monkeypatch, command: tuple[str, ...]) -> None:
        repo.apply()
        monkeypatch.setattr(MlflowRegistry, "point", lambda *_: raising(CouldNotEvaluate("the registry is away")))
        code, out, err = mlgates(*command, "--reason", "errors doubled", "--yes")
        assert (code, out) == (11, "")
        assert err.startswith("ACTION FAILED: entry 3 is recorded, but it is unknown whether 'champion' moved (the ")
        assert repo.champion() == BETTER

    def test_another_move_that_came_first(self, repo: Repo, mlgates, monkeypatch, command: tuple[str, ...]) -> None:
        repo.apply()

        asked: list[object] = []

        def meanwhile(question: str, _: object) -> bool:
            asked.append(question)
            return len(asked) > 1 or mlgates("promote", BARELY, "--override", "--reason", "in between", "--yes")[0] == 0

        monkeypatch.setattr(f"pytest_mlgates.commands.{command[0]}.confirmed", meanwhile)
        code, out, err = mlgates(*command, "--reason", "errors doubled", "--yes")
        assert (code, out) == (10, "")
        assert err == f"judged against v{BETTER}, but v{BARELY} is champion now: run again\n"
        assert repo.champion() == BARELY


def raising(problem: Exception) -> None:
    raise problem


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (DIES, "was killed by SIGKILL"),
        (NAN, "answered NaN or infinity for "),
        (LABELS, "answers class labels, not scores"),
    ],
)
def test_a_version_that_does_not_load_or_answer_is_no_way_back(
    repo: Repo, mlgates, version: str, sentence: str
) -> None:
    repo.apply()
    code, _, err = mlgates("rollback", "--to", version, "--reason", "x", "--yes")
    assert (code, repo.champion()) == (2, BETTER)
    assert sentence in err


def test_a_version_whose_files_are_not_those_that_training_stamped_is_no_way_back(repo: Repo, mlgates) -> None:
    repo.apply()
    with repo.database() as db:
        stamped = ("credit", CHAMPION, "mlgates.digest", "0" * 64)
        db.execute("insert into model_version_tags (name, version, key, value) values (?, ?, ?, ?)", stamped)
    code, _, err = mlgates("rollback", "--reason", "x", "--yes")
    assert (code, repo.champion()) == (2, BETTER)
    assert f"the files of v{CHAMPION} were changed since they were recorded: their digest is " in err
    assert "its tag mlgates.digest says 0000000000000000...; nothing was changed" in err


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
    for look in (repo.run(), repo.run("-q")):
        assert "ledger entry 2 was left unfinished" in look.text
    assert repo.champion() == CHAMPION, "looking repairs nothing"
    run = repo.apply("-q")
    assert f"mlgates: repaired: 'champion' moved from v{CHAMPION} to v{BETTER}" in run.text
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert mlgates("audit", "verify")[0] == 0, "the repair is in the mirror too"


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


def test_the_golden_set_is_shown_with_its_budget_and_the_champions_figures_on_it(repo: Repo, mlgates) -> None:
    def said(begin: str) -> list[str]:
        code, out, _ = mlgates("golden")
        assert code == 0
        lines = out.splitlines()
        first = next(place for place, line in enumerate(lines) if line.startswith(begin))
        return [line.strip() for line in lines[first : first + 2]]

    assert said("budget")[0] == "budget      0 of 20 challengers judged on it"
    repo.apply("--mlgate-challenger", WORSE)
    repo.apply()
    assert said("budget") == [
        "budget      2 of 20 challengers judged on it",
        f"v{WORSE}, v{BETTER}; the first of them against v{CHAMPION}",
    ]
    assert said("champion")[0].startswith(f"champion    v{BETTER}: roc_auc 0.8")


def test_on_a_new_set_the_champion_is_scored_anew(repo: Repo, mlgates) -> None:
    """Figures of two sets are never compared."""
    repo.apply()
    old = next(line for line in mlgates("golden")[1].splitlines() if line.startswith("champion"))
    md5 = repo.evidence()["golden_set"]["md5"]
    repo.rewrite_golden(lambda lines: lines[:-200])
    lines = mlgates("golden")[1].splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("champion"))
    assert "budget      0 of 20 challengers judged on it" in lines
    assert lines[place].startswith(f"champion    v{BETTER}: roc_auc 0.8")
    assert lines[place] != old
    assert (
        lines[place + 1].strip() == f"it was promoted on version {md5[:8]}, whose figures are not compared with these"
    )


def test_a_champion_that_cannot_be_scored_is_said(repo: Repo, mlgates) -> None:
    repo.point("champion", "6")
    out = mlgates("golden")[1]
    assert "champion    v6 cannot be scored on these rows: champion credit v6 raised RuntimeError: the feature s" in out
    repo.point("champion", None)
    assert "champion    none: 'champion' means no version of credit" in mlgates("golden")[1]


def test_a_ledger_that_was_altered_leaves_the_budget_unknown(repo: Repo, mlgates) -> None:
    repo.apply()
    with repo.database() as db:
        db.execute("delete from model_versions where version = 1 and name = 'credit.mlgates-ledger'")
    assert "budget      unknown: the ledger cannot be relied on: entry 1 is missing" in mlgates("golden")[1]
    assert repo.apply("--mlgate-challenger", WORSE).ret in (1, 10)
    assert repo.champion() == BETTER


def test_a_judgement_that_came_too_late_spends_the_budget_all_the_same(repo: Repo, mlgates) -> None:
    repo.gates(
        """
        @pytest.mark.mlgate("slow")
        def test_slow(gate):
            move("champion", 5)
            gate.judge(*good())
        """,
        before=MOVES_THE_ALIAS,
    )
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, BARELY)
    assert f"credit v{BETTER} is held (ledger entry 2)" in run.text
    told = json.loads(mlgates("history", "--json")[1])
    assert [(entry["kind"], entry["to"]) for entry in told["entries"]] == [("genesis", BARELY), ("hold", BETTER)]
    assert f"but v{BARELY} is champion now: run again" in told["entries"][1]["reason"]
    assert told["entries"][1]["evidence"] == evidence_file.digest(repo.evidence())


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

"""What follows from a run: the exit code, the alias, the tags, and the sentence that says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrepo import BARELY, BETTER, CHAMPION, COPY, CORE, MOVES_THE_ALIAS, WORSE, Repo
from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.report import evidence_file


def test_a_better_model_is_promoted_and_a_second_run_has_nothing_to_do(repo: Repo) -> None:
    first = repo.apply()
    assert first.ret == 0
    assert f"PROMOTE credit v{BETTER}" in first.text
    assert f"credit v{BETTER} is 'champion' now, replacing v{CHAMPION}" in first.text
    assert repo.aliases() == {"champion": BETTER, "challenger": BETTER, "former-champion": CHAMPION}
    promoted, replaced = repo.tags(BETTER), repo.tags(CHAMPION)
    assert (promoted["mlgates.decision"], promoted["mlgates.reason"]) == ("promoted", f"replaced v{CHAMPION}")
    assert (replaced["mlgates.decision"], replaced["mlgates.reason"]) == ("replaced", f"by v{BETTER}")
    assert promoted["mlgates.decided_by"] and promoted["mlgates.decided_at"]
    assert repo.evidence()["action"]["done"] is True

    before = (repo.path / ".mlgates/report/evidence.json").read_bytes()
    second = repo.apply()
    assert second.ret == 0
    assert f"nothing to promote: 'challenger' is credit v{BETTER}, which is champion already" in second.text
    assert repo.aliases() == {"champion": BETTER, "challenger": BETTER, "former-champion": CHAMPION}
    assert (repo.path / ".mlgates/report/evidence.json").read_bytes() == before, "no evidence for nothing judged"


def test_judging_changes_nothing_and_says_what_it_would_do(repo: Repo) -> None:
    before = (repo.path / "mlflow.db").read_bytes()
    run = repo.run()
    assert run.ret == 0
    assert f"WOULD PROMOTE credit v{BETTER} (add --mlgate-apply to do it)" in run.text
    assert (repo.path / "mlflow.db").read_bytes() == before
    assert repo.evidence()["action"] is None
    assert repo.evidence()["decision"]["action"] == "PROMOTE"


def test_what_the_rows_can_prove_is_said_first_from_scores_that_are_kept_or_else_assumed(repo: Repo) -> None:
    repo.forget()
    first, second = repo.run().text, repo.run().text
    said = "cannot prove not worse by 0.005 ROC AUC: at"
    assert f"{said} score correlation 0.9 it resolves 0.014 and needs 12,000" in first
    assert f"{said} the measured score correlation 0." in second
    assert second.index("at the measured score correlation") < second.index("collected 4 items")


def test_the_default_adds_to_the_core_what_needs_no_settings(repo: Repo, spread: list[str]) -> None:
    repo.settings(gates=None)
    run = repo.apply(*spread)
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert repo.verdicts() == dict.fromkeys([*CORE, "golden_validity", "slices"], "PASS")


def test_a_worse_model_is_held_and_the_reason_names_the_interval(repo: Repo, spread: list[str]) -> None:
    run = repo.apply("--mlgate-challenger", WORSE, *spread)
    assert run.ret == 1
    assert f"HOLD credit v{WORSE}: golden_regression: roc_auc gain -0.1" in run.text
    shown = repo.interval("golden_regression")
    assert f"{shown}: proven not >= -0.005" in run.text
    tags = repo.tags(WORSE)
    assert tags["mlgates.decision"] == "held"
    assert shown in tags["mlgates.reason"]
    assert repo.aliases() == {"champion": CHAMPION, "challenger": BETTER}


def test_a_held_model_is_not_tagged_when_only_judged(repo: Repo) -> None:
    assert repo.run("--mlgate-challenger", WORSE).ret == 1
    assert "mlgates.decision" not in repo.tags(WORSE)


def test_an_unproven_gain_is_inconclusive(repo: Repo) -> None:
    run = repo.apply("--mlgate-challenger", BARELY)
    assert run.ret == 10
    assert f"HOLD credit v{BARELY}: bootstrap_auc: " in run.text
    assert "the interval reaches across the limit > 0" in run.text
    assert repo.verdicts() == dict.fromkeys(CORE, "PASS") | {"bootstrap_auc": "INCONCLUSIVE"}
    assert repo.champion() == CHAMPION


@pytest.mark.slow
def test_the_same_inputs_give_the_same_evidence_with_workers_and_without(repo: Repo) -> None:
    documents = []
    for args in ([], [], ["-n", "2"], ["-n", "2", "--dist=loadfile"]):
        assert repo.run(*args).ret == 0
        document = repo.evidence()
        assert document.pop("measured_times")
        documents.append(json.dumps(document, sort_keys=True))
    assert len(set(documents)) == 1


@pytest.mark.slow
def test_exit_codes_reach_the_shell_from_a_repository_that_was_never_judged(repo: Repo) -> None:
    repo.forget()
    judged = repo.run_apart("--mlgate-apply", "--mlgate-challenger", WORSE)
    assert (judged.ret, repo.champion()) == (1, CHAMPION)
    assert "proven not >= -0.005" in judged.text
    promoted = repo.run_apart("--mlgate-apply")
    assert (promoted.ret, repo.champion()) == (0, BETTER)
    assert repo.run_apart("--mlgate-challenger", BARELY).ret == 1


class TestFirstPromotion:
    """With no champion yet there is nothing to compare with: only what the settings say may be promoted."""

    @pytest.fixture(autouse=True)
    def no_champion(self, repo: Repo) -> None:
        repo.point("champion", None)

    def test_without_the_setting_it_is_held_and_the_fix_is_shown(self, repo: Repo) -> None:
        run = repo.apply()
        assert run.ret == 10
        assert "credit has no champion ('champion') to compare with; to allow a first promotion write" in run.text
        assert repo.champion() == "none"

    def test_a_model_above_the_floors_becomes_the_first_champion(self, repo: Repo) -> None:
        repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.75\n")
        run = repo.apply()
        assert run.ret == 0
        assert f"credit v{BETTER} is 'champion' now (the first champion)" in run.text
        assert repo.aliases() == {"champion": BETTER, "challenger": BETTER}
        assert repo.tags(BETTER)["mlgates.reason"] == "first champion"

    def test_a_model_below_the_floors_is_held(self, repo: Repo) -> None:
        repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.95\n")
        run = repo.apply()
        assert run.ret == 1
        assert "proven not >= 0.95" in run.text
        assert repo.champion() == "none"

    def test_empty_floors_allow_nothing(self, repo: Repo) -> None:
        """MLflow's validate_evaluation_results passes empty thresholds."""
        repo.settings("[tool.mlgates.first_promotion]\n")
        assert repo.apply().ret == 10
        assert repo.champion() == "none"


def test_an_older_registry_promotes_by_stage(repo: Repo) -> None:
    with repo.database() as db:
        db.execute("update model_versions set current_stage = 'Production' where version = 1")
    repo.point("champion", None)
    repo.settings(champion="stage:Production")
    run = repo.apply()
    assert run.ret == 0
    assert f"credit v{BETTER} is 'stage:Production' now, replacing v{CHAMPION}" in run.text
    assert (repo.stages()[BETTER], repo.stages()[CHAMPION]) == ("Production", "Archived")
    assert repo.tags(CHAMPION)["mlgates.reason"] == f"by v{BETTER}", "the way back is on the former champion"


@pytest.mark.parametrize(
    "reference", [BETTER, f"models:/credit/{BETTER}", "models:/credit@challenger", "runs:/RUN/model"]
)
def test_the_challenger_can_be_named_in_four_ways(repo: Repo, reference: str) -> None:
    with repo.database() as db:
        (run_id,) = db.execute("select run_id from model_versions where version = 2").fetchone()
    repo.point("challenger", None if "@" not in reference else BETTER)
    run = repo.run("--mlgate-challenger", reference.replace("RUN", run_id))
    assert run.ret == 0
    assert f"WOULD PROMOTE credit v{BETTER}" in run.text


class TestAnotherPipelineActsMeanwhile:
    def test_the_champion_moved_while_the_gates_ran(self, repo: Repo) -> None:
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
        assert run.ret == 10
        assert f"judged against v{CHAMPION}, but v{BARELY} is champion now: run again" in run.text
        assert repo.aliases() == {"champion": BARELY, "challenger": BETTER}
        assert repo.evidence()["decision"]["exit"] == 10

    def test_the_first_champion_appeared_while_the_gates_ran(self, repo: Repo) -> None:
        repo.point("champion", None)
        repo.gates(
            """
            @pytest.mark.mlgate("slow")
            def test_slow(gate):
                move("champion", 5)
                gate.judge(*good())
            """,
            before=MOVES_THE_ALIAS,
        )
        repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.75\n")
        run = repo.apply()
        assert (run.ret, repo.champion()) == (10, BARELY)
        assert f"judged against no champion, but v{BARELY} is champion now: run again" in run.text

    def test_the_challenger_alias_moved_while_the_gates_ran(self, repo: Repo) -> None:
        """What was judged is promoted, never what the alias means by then."""
        repo.gates(
            """
            @pytest.mark.mlgate("slow")
            def test_slow(gate):
                move("challenger", 3)
                gate.judge(*good())
            """,
            before=MOVES_THE_ALIAS,
        )
        assert repo.apply().ret == 0
        assert repo.aliases() == {"champion": BETTER, "challenger": WORSE, "former-champion": CHAMPION}

    def test_the_registry_is_gone_when_it_is_time_to_act(self, repo: Repo) -> None:
        repo.gates(
            """
            @pytest.mark.mlgate("slow")
            def test_slow(gate):
                import sqlite3
                with sqlite3.connect("mlflow.db") as db:
                    db.execute("alter table registered_model_aliases rename to gone")
                gate.judge(*good())
            """
        )
        run = repo.apply()
        assert run.ret == 11
        assert "ACTION FAILED: the registry sqlite:///REPO/mlflow.db did not answer while " in run.text
        assert repo.evidence()["action"]["done"] is False
        with repo.database() as db:
            assert db.execute("select version from gone where alias = 'champion'").fetchone() == (int(CHAMPION),)

    def test_the_move_itself_is_refused(self, repo: Repo) -> None:
        """A trigger lets nobody write the champion alias: the outcome must be read back, not assumed."""
        with repo.database() as db:
            for event in ("insert", "update"):
                db.execute(
                    f"create trigger no_{event} before {event} on registered_model_aliases when new.alias = 'champion' "
                    "begin select raise(abort, 'refused'); end"
                )
        run = repo.apply()
        assert run.ret == 11
        assert "ACTION FAILED: entry 2 is recorded, but it is unknown whether 'champion' moved" in run.text
        assert repo.champion() == CHAMPION

    def test_whatever_else_breaks_while_acting(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        """A traceback would leave nobody told, and the evidence without an end."""
        monkeypatch.setattr(MlflowRegistry, "point", lambda *_: {}["alias"])
        run = repo.apply()
        assert run.ret == 11, run.text
        assert "ACTION FAILED: it broke off: KeyError: 'alias'; `mlgates status` shows what was done" in run.text
        assert repo.evidence()["action"]["done"] is False

    def test_what_was_done_cannot_be_written(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        """The promotion stands, and its evidence says that nothing was done: somebody must look."""
        once = evidence_file.write

        def full(document: dict[str, object], folder: Path) -> Path:
            if document["action"] is None:
                return once(document, folder)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(evidence_file, "write", full)
        run = repo.apply()
        assert (run.ret, repo.champion()) == (11, BETTER), run.text
        assert "the evidence could not be written to REPO/.mlgates/report (No space left on device)" in run.text

    def test_the_move_is_silently_lost(self, repo: Repo) -> None:
        with repo.database() as db:
            db.execute(
                "create trigger lost after update on registered_model_aliases when new.alias = 'champion' "
                "and new.version = 2 begin "
                "update registered_model_aliases set version = 1 where alias = 'champion'; end"
            )
        run = repo.apply()
        assert run.ret == 11
        assert "while it was being moved: who else moves it?" in run.text
        assert repo.champion() == CHAMPION

    def test_tags_that_cannot_be_written_do_not_undo_a_promotion(self, repo: Repo) -> None:
        with repo.database() as db:
            db.execute(
                "create trigger no_tags before insert on model_version_tags when new.name = 'credit' "
                "begin select raise(abort, 'refused'); end"
            )
        run = repo.apply()
        assert (run.ret, repo.champion()) == (0, BETTER)
        assert "promoted, but the notes on the versions could not be written" in run.text


@pytest.mark.parametrize("copy", [COPY, CHAMPION])
def test_a_copy_of_the_champion_is_held(repo: Repo, copy: str) -> None:
    run = repo.apply("--mlgate-challenger", copy)
    assert run.ret == 1
    why = {
        COPY: "the challenger answers all 1500 golden rows exactly as the champion does",
        CHAMPION: "same version, v1",
    }
    assert f"HOLD credit v{copy}: is_new: " in run.text
    assert why[copy] in run.text
    assert repo.champion() == CHAMPION


def test_a_pure_refactor_passes_when_the_settings_allow_it(repo: Repo) -> None:
    repo.settings("[tool.mlgates.bootstrap_auc]\nbetter = false\n", allow_identical=True)
    run = repo.apply("--mlgate-challenger", COPY)
    assert (run.ret, repo.champion()) == (0, COPY)

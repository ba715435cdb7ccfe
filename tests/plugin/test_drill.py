"""A drill in a whole run: on the local cluster, with pods that answer as the registry's versions do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from workloads import asks, serves, stop, with_runs, workload

from mlrepo import ALONE, BETTER, CHAMPION, Repo
from pytest_mlgates.ports import Release

pytestmark = pytest.mark.slow

DRILL = ("--mlgate-phase", "drill")


@pytest.fixture
def drilled(repo: Repo) -> Repo:
    with_runs(repo)
    asks(repo)
    return repo


def figures(repo: Repo) -> dict[str, Any]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "rollback_drill")
    return {one["evidence"]["measure"]: one["evidence"] for one in gate["judgements"]}


def test_a_drill_proves_the_way_back_and_leaves_nothing(drilled: Repo) -> None:
    asks(drilled, repeats=2)
    run = drilled.run(*DRILL)
    assert run.ret == 0, run.text
    assert drilled.verdicts() == {"golden_integrity": "PASS", "rollback_drill": "PASS"}
    found = figures(drilled)
    assert found["way back proven"]["value"] == 1
    assert found["failed requests"]["value"] == 0
    assert found["failed requests"]["n"] > 10
    assert found["time to restore p95"]["n"] == 2
    drilled.on_page("rollback_drill", "passing", exact=False)
    assert "DRILL PASSED credit: all 2 required gates passed" in run.text
    assert "serves again" in run.lines and "everything the drill made is removed" in run.lines
    assert drilled.aliases() == {"champion": CHAMPION, "challenger": BETTER}
    assert [file.name for file in (drilled.path / ".mlgates" / "cluster").glob("*/*")] == [], "no pod, no log"


def test_without_a_cluster_it_is_an_error_with_the_fix(repo: Repo) -> None:
    repo.settings(gates_drill=["default"])
    assert repo.run(*DRILL).ret == 10
    assert repo.said_of("rollback_drill") == (
        "ERROR",
        'no cluster: write [tool.mlgates.cluster] with kind = "local" or "kubernetes"',
    )


@pytest.mark.parametrize("role", ["champion", "challenger", "former"])
def test_the_drill_alias_is_never_one_that_matters(drilled: Repo, role: str) -> None:
    name = {"former": "former-champion"}.get(role, role)
    asks(drilled, drill_alias=name)
    run = drilled.run(*DRILL)
    assert run.ret == 4
    assert f"drill_alias and {role} are the same alias, {name!r}, which a drill must never move" in run.text


class TestWhatGoesWrong:
    """The original is put back, nothing is left, and the drill failed: an incident."""

    def drill(self, repo: Repo, tricks: dict[str, str], rollout: float = 1.5) -> str:
        asks(repo, tricks, rollout)
        run = repo.run(*DRILL)
        assert run.ret == 1, run.text
        assert "DRILL FAILED credit: rollback_drill: the dummy v2 was not brought to serve: " in run.text
        assert repo.aliases() == {"champion": CHAMPION, "challenger": BETTER}
        assert "v1 serves again" in run.text
        assert figures(repo)["failed requests"]["value"] >= 0
        verdict, sentence = repo.said_of("rollback_drill")
        assert verdict == "FAIL"
        return sentence

    def test_pods_that_answer_as_another_version(self, drilled: Repo) -> None:
        told = self.drill(drilled, {BETTER: "?lies"})
        assert "but its golden answers are another model's" in told

    @pytest.mark.long
    def test_pods_that_do_not_say_their_run(self, drilled: Repo) -> None:
        told = self.drill(drilled, {BETTER: "?nameless"})
        assert "does not say which run it is (X-Model-Run-Id), not" in told

    @pytest.mark.long
    def test_pods_in_a_crash_loop(self, drilled: Repo) -> None:
        told = self.drill(drilled, {BETTER: "?crash"}, 15)
        assert "is in a crash loop" in told
        assert "last words of" in told and "this model cannot be loaded" in told

    @pytest.mark.long
    def test_pods_that_never_become_ready(self, drilled: Repo) -> None:
        assert "not finished within 1.5 s" in self.drill(drilled, {BETTER: "?silent"})


def test_an_original_that_does_not_answer_the_golden_record_is_an_error(drilled: Repo) -> None:
    asks(drilled, {CHAMPION: "?lies"}, 1.5)
    assert drilled.run(*DRILL).ret == 10
    verdict, sentence = drilled.said_of("rollback_drill")
    assert verdict == "ERROR"
    assert sentence.startswith("v1 was not seen to serve on local processes (staging in cluster) within 1.5 s: ")
    assert drilled.aliases() == {"champion": CHAMPION, "challenger": BETTER}


def end_the_cluster(repo: Repo, when: str) -> None:
    """From the repository's own conftest: the drill's processes are killed once, just before `when`."""
    repo.write(
        "conftest.py",
        f"""
        import os, signal
        from pathlib import Path
        from pytest_mlgates.adapters.local.cluster import LocalCluster, keeper_of

        real = LocalCluster.{when}
        def ends_first(self, *args, **words):
            LocalCluster.{when} = real
            os.kill(keeper_of(Path(".mlgates/cluster").absolute())["pid"], signal.SIGKILL)
            return real(self, *args, **words)
        LocalCluster.{when} = ends_first
        """,
    )


def test_a_drill_that_is_killed_half_way_is_put_right_by_the_next(drilled: Repo) -> None:
    command = [sys.executable, "-m", "pytest", *ALONE, "--mlgate", *DRILL]
    note = drilled.path / ".mlgates" / "cluster" / "staging.note"
    with subprocess.Popen(command, cwd=drilled.path, stdout=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 40
        while not (note.is_file() and '"to the dummy"' in note.read_text()):
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.002)
        first.kill()
    assert note.is_file()
    run = drilled.run(*DRILL)
    assert run.ret == 0, run.text
    assert "put right what a drill left that ended while it was to the dummy" in run.text
    assert not note.exists()
    assert drilled.aliases() == {"champion": CHAMPION, "challenger": BETTER}
    assert [file.name for file in (drilled.path / ".mlgates" / "cluster").glob("*/*")] == [], "no pod, no log"


def test_the_timeline_is_printed(drilled: Repo) -> None:
    """Under the gates, whatever the verbosity; seconds since the drill began."""
    run = drilled.run_apart(*DRILL, "-q")
    lines = run.lines.splitlines()
    told = [line.split(" s  ", 1)[1] for line in lines if re.match(r" +\d+\.\d\d s  ", line)]
    assert len(told) == 6
    assert told[0] == "nothing serves on local processes (staging in cluster): v1 is brought there first"
    assert told[1] == "v1 serves on local processes (staging in cluster)"
    assert re.fullmatch(r"v2 serves, \d+\.\d\d s after 'drill' was moved", told[2])
    assert re.fullmatch(r"v1 serves again, \d+\.\d\d s after the rollback began", told[3])
    assert re.fullmatch(r"\d+ questions asked, 0 failed", told[4])
    assert told[5] == "everything the drill made is removed"


def test_a_cluster_that_is_lost_proves_nothing(drilled: Repo) -> None:
    end_the_cluster(drilled, "undo")
    run = drilled.run_apart(*DRILL, "--mlgate-record")
    assert run.ret == 10, run.text
    assert "DRILL UNPROVEN credit: rollback_drill: " in run.text
    assert "broken off: cannot go back to revision 1 on local processes (staging in cluster): the " in run.text
    assert "the drill is recorded as ERROR (ledger entry 2)" in run.text
    assert drilled.said_of("rollback_drill")[0] == "ERROR"
    assert drilled.aliases() == {"champion": CHAMPION, "challenger": BETTER}


def test_what_a_drill_cannot_put_back_is_an_incident(drilled: Repo) -> None:
    """Staging served before, and does not any more."""
    cluster = workload(drilled, "staging")
    cluster.deploy(Release("models:/credit/1", "run-1"))
    cluster.settle(15)
    end_the_cluster(drilled, "undo")
    run = drilled.run_apart(*DRILL)
    assert run.ret == 11, run.text
    assert "INCIDENT: local processes (staging in cluster) was not put back as it was: " in run.text
    assert "; the next drill does that first" in run.text
    assert drilled.aliases() == {"champion": CHAMPION, "challenger": BETTER}


def test_files_that_are_not_those_on_record_take_no_part(drilled: Repo) -> None:
    with drilled.database() as db:
        stamped = ("credit", BETTER, "mlgates.digest", "0" * 64)
        db.execute("insert into model_version_tags (name, version, key, value) values (?, ?, ?, ?)", stamped)
    assert drilled.run(*DRILL).ret == 10
    verdict, sentence = drilled.said_of("rollback_drill")
    assert verdict == "ERROR"
    assert sentence.startswith("the files of v2 were changed since they were recorded: ")
    assert sentence.endswith("its tag mlgates.digest says 0000000000000000...; it was not loaded")


def test_a_restore_that_takes_too_long_fails(drilled: Repo) -> None:
    asks(drilled, more="restore_s = 0.001")
    assert drilled.run(*DRILL).ret == 1
    assert "proven not <= 0.001" in drilled.said_of("rollback_drill")[1]
    drilled.on_page("rollback_drill", "failing", exact=False)


def test_two_versions_that_nobody_could_tell_apart(drilled: Repo) -> None:
    asks(drilled, more='dummy = "4"')
    assert drilled.run(*DRILL).ret == 10
    assert drilled.said_of("rollback_drill")[1] == (
        "v1 and v4 answer the golden rows alike, so nobody could tell which serves: name another version as dummy in "
        "[tool.mlgates.rollback_drill]"
    )


@pytest.mark.parametrize(("dummy", "why"), [("1", "is the version that serves"), ("99", "does not exist")])
def test_a_dummy_that_cannot_be(drilled: Repo, dummy: str, why: str) -> None:
    asks(drilled, more=f'dummy = "{dummy}"')
    assert drilled.run(*DRILL).ret == 10
    said = f"dummy = {dummy!r} in [tool.mlgates.rollback_drill] {why}: name another"
    assert drilled.said_of("rollback_drill")[1] == said


def test_times_beside_other_tests_say_nothing(drilled: Repo) -> None:
    assert drilled.run_n2(*DRILL).ret == 10
    assert "run without -n" in drilled.said_of("rollback_drill")[1]


class TestContexts:
    def kubernetes(self, repo: Repo, more: str) -> str:
        repo.settings(
            f"""
            [tool.mlgates.cluster]
            kind = "kubernetes"
            {more}
            """
        )
        run = repo.run(*DRILL)
        assert run.ret in (4, 10), run.text
        return run.text

    PLACE = 'namespace = "ml"\ndeployment = "scorer"\ncontainer = "model"\n'

    def test_a_context_must_be_named(self, repo: Repo) -> None:
        said = self.kubernetes(repo, "")
        assert 'kind = "kubernetes" needs context = "...": nothing is taken from the kubeconfig\'s current' in said

    def test_production_must_be_named_twice(self, repo: Repo) -> None:
        text = self.kubernetes(repo, ("\n" + " " * 12).join(['context = "prod-eu"', *self.PLACE.splitlines()]))
        assert "context 'prod-eu' looks like production; if that is meant, write production_contexts" in text

    def test_a_drill_never_runs_there(self, repo: Repo) -> None:
        lines = ['context = "prod-eu"', 'production_contexts = ["prod-eu"]', *self.PLACE.splitlines()]
        text = self.kubernetes(repo, ("\n" + " " * 12).join(lines))
        assert "a drill never runs in production, and context 'prod-eu' is: name another context" in text

    def test_nor_in_a_namespace_that_is_called_so(self, repo: Repo) -> None:
        lines = ['context = "eu"', *self.PLACE.splitlines(), "[tool.mlgates.cluster.staging]", 'namespace = "ml-prod"']
        text = self.kubernetes(repo, ("\n" + " " * 12).join(lines))
        assert "a drill never runs in production, and namespace 'ml-prod' is: name another context" in text

    def test_nor_on_what_promotion_moves(self, repo: Repo) -> None:
        text = self.kubernetes(repo, ("\n" + " " * 12).join(['context = "eu"', *self.PLACE.splitlines()]))
        assert (
            "the drill would be held on the very workload that promotion moves: name another context, namespace or "
            "deployment in [tool.mlgates.cluster.staging]"
        ) in text

    def test_nor_on_local_processes_that_promotion_moves(self, repo: Repo) -> None:
        repo.settings('[tool.mlgates.cluster]\ndeployment = "here"\n')
        assert "the drill would be held on the very workload that promotion moves" in repo.run(*DRILL).text


class TestRecord:
    def test_a_drill_is_recorded_and_never_moves_the_champion(self, drilled: Repo) -> None:
        run = drilled.run(*DRILL, "--mlgate-record")
        assert run.ret == 0, run.text
        assert "the drill is recorded as PASS (ledger entry 2)" in run.text
        assert drilled.champion() == CHAMPION
        assert drilled.apply("--mlgate-challenger", "1").ret in (1, 10)

    def test_a_failed_drill_is_recorded_as_such_and_holds_promotions(self, drilled: Repo) -> None:
        asks(drilled, more="restore_s = 0.001")
        assert drilled.run(*DRILL, "--mlgate-apply").ret == 1
        asks(drilled)
        assert drilled.run().ret == 1
        verdict, said = drilled.said_of("drill_freshness")
        assert verdict == "FAIL"
        assert "failed: FAIL on local processes" in said
        drilled.on_page("drill_freshness", "failing", exact=False)

    def test_a_waiver_makes_no_way_back(self, drilled: Repo) -> None:
        """It lets the run pass, and is on record as what the drill itself came to."""
        waiver = '[[tool.mlgates.waivers]]\ngate = "rollback_drill"\nreason = "staging is slow"'
        asks(drilled, more=f"restore_s = 0.001\n{waiver}")
        run = drilled.run(*DRILL, "--mlgate-record")
        assert run.ret == 0, run.text
        assert "the drill is recorded as FAIL (ledger entry 2)" in run.text

    def test_no_drill_holds_promotions(self, drilled: Repo) -> None:
        assert drilled.run().ret == 10
        assert drilled.said_of("drill_freshness") == (
            "INCONCLUSIVE",
            "a drill in the last 31 days: no drill is on record: run `pytest --mlgate --mlgate-phase drill "
            "--mlgate-record`",
        )

    def test_without_a_cluster_it_is_not_asked_for(self, repo: Repo) -> None:
        run = repo.run()
        assert "drill_freshness" not in repo.verdicts()
        assert "rollback_drill" not in run.text, "a gate of another phase is nothing to ask for here"


class TestPromotion:
    """Alias and workload move together."""

    @pytest.fixture
    def fresh(self, drilled: Repo) -> Repo:
        assert drilled.run(*DRILL, "--mlgate-record").ret == 0
        return drilled

    def test_what_is_promoted_is_deployed_and_proven(self, fresh: Repo) -> None:
        try:
            run = fresh.apply()
            assert run.ret == 0, run.text
            assert "serves v2 at http://127.0.0.1:" in run.text
            assert fresh.champion() == BETTER
            assert serves(fresh) == "models:/credit/2"
            fresh.on_page("drill_freshness", "passing", exact=False)
        finally:
            stop(fresh)

    def test_what_does_not_serve_takes_the_alias_back(self, fresh: Repo) -> None:
        asks(fresh, {BETTER: "?crash"})
        try:
            run = fresh.apply()
            assert run.ret == 11, run.text
            assert "ACTION FAILED: the workload does not follow to v2: " in run.text
            assert "'champion' is v1 again (entry 4)" in run.text
            assert fresh.champion() == CHAMPION
            history = fresh.pytester.run(sys.executable, "-m", "pytest_mlgates.cli", "history", "--json").stdout.str()
            kinds = [entry["kind"] for entry in json.loads(history)["entries"]]
            assert kinds == ["genesis", "drill", "promote", "rollback"]
        finally:
            stop(fresh)

    def test_a_move_that_was_cut_short_is_finished_by_the_next_run(self, fresh: Repo) -> None:
        """Killed between alias and workload: the announcement on the workload tells."""
        try:
            assert fresh.apply().ret == 0
            fresh.point("challenger", "3")
            cluster = workload(fresh)
            assert cluster.leave('{"kind": "follows", "to": "2"}', instead_of="")
            cluster.undo(0) if len(cluster.revisions()) > 1 else cluster.remove()
            stop(fresh)
            run = fresh.apply()
            assert "repaired: a move that was cut short is finished: " in run.text
            assert serves(fresh) == "models:/credit/2"
            assert cluster.note() == ""
        finally:
            stop(fresh)

    def test_a_workload_moved_by_hand_is_reported_and_left_alone(self, fresh: Repo) -> None:
        try:
            assert fresh.apply().ret == 0
            fresh.point("challenger", "3")
            own = workload(fresh)
            own.deploy(Release("models:/credit/1", "run-1"))
            own.settle(15)
            run = fresh.apply()
            assert run.ret in (1, 10)
            assert "serves models:/credit/1 (run run-1), but v2 is champion: it was changed by hand" in run.text
            assert serves(fresh) == "models:/credit/1"
        finally:
            stop(fresh)

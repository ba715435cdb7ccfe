"""The workload goes where the alias goes, also when a person or the live phase moves it; `mlgates cluster` shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from workloads import asks, serves, stop, with_runs, workload

from mlrepo import BETTER, CHAMPION, Repo

pytestmark = pytest.mark.slow

BAD = """
@pytest.mark.mlgate("well", phase="live", tier="act")
def test_well(gate):
    gate.judge(Evidence("answer", 12, n=7), at_least(40))
"""


@pytest.fixture
def moved(repo: Repo, mlgates) -> Iterator[Repo]:
    """v2 is champion by an override, and its workload with it."""
    with_runs(repo)
    asks(repo)
    try:
        code, out, err = mlgates("promote", BETTER, "--override", "--reason", "the board wants it", "--yes")
        assert code == 0, err
        assert re.search(
            r"serving in cluster\) serves v2 at http://127\.0\.0\.1:\d+, proven after \d+\.\d s\n$", out
        ), out
        assert (repo.champion(), serves(repo)) == (BETTER, "models:/credit/2")
        yield repo
    finally:
        stop(repo)


def test_a_rollback_takes_the_workload_along(moved: Repo, mlgates) -> None:
    code, out, err = mlgates("rollback", "--reason", "errors doubled", "--yes")
    assert code == 0, err
    assert f"'champion' is v{CHAMPION} now, instead of v{BETTER} (ledger entry 3)\n" in out
    assert "serves v1 at http://127.0.0.1:" in out
    assert (moved.champion(), serves(moved)) == (CHAMPION, "models:/credit/1")
    assert workload(moved).note() == ""


def test_a_persons_rollback_is_when_the_incident_was_restored(moved: Repo, mlgates) -> None:
    moved.gates(BAD.replace('"act"', '"ask"'))
    asks(moved, paths=["checks"], gates_live=["golden_integrity", "well"])
    paged = moved.apply("--mlgate-phase", "live")
    assert "incident 1 (SEV2) is open" in paged.text and moved.champion() == BETTER
    assert mlgates("rollback", "--reason", "answers are wrong", "--yes")[0] == 0
    out = mlgates("incident", "show", "1")[1]
    assert f"action: back to v{CHAMPION} by hand: answers are wrong (ada), incident" in out
    assert "restored: the former version serves, proven by its answers (ada), incident" in out
    assert "| time to restore | not yet |" not in mlgates("incident", "postmortem", "1")[1]


def test_a_rollback_whose_workload_does_not_follow_says_so_and_is_finished_later(moved: Repo, mlgates) -> None:
    """The alias is back; the announcement stays, so that the next run with --mlgate-apply tries again."""
    asks(moved, {CHAMPION: "?crash"})
    code, out, err = mlgates("rollback", "--reason", "errors doubled", "--yes")
    assert code == 11
    assert f"'champion' is v{CHAMPION} now, instead of v{BETTER} (ledger entry 3)\n" in out
    assert "ACTION FAILED: the workload does not follow to v1: " in err
    assert "it was put back to models:/credit/2 (run " in err
    assert (moved.champion(), serves(moved)) == (CHAMPION, "models:/credit/2")
    asks(moved)
    moved.point("challenger", CHAMPION)
    run = moved.apply()
    assert "repaired: a move that was cut short is finished: " in run.text
    assert serves(moved) == "models:/credit/1"


def test_an_override_whose_workload_does_not_follow_says_so(moved: Repo, mlgates) -> None:
    asks(moved, {"3": "?crash"})
    code, out, err = mlgates("promote", "3", "--override", "--reason", "the board insists", "--yes")
    assert code == 11
    assert f"'champion' is v3 now, instead of v{BETTER}: an override by ada (ledger entry 3)\n" in out
    assert "ACTION FAILED: the workload does not follow to v3: " in err
    assert (moved.champion(), serves(moved)) == ("3", "models:/credit/2")


def test_an_automatic_rollback_in_the_live_phase_takes_it_along(moved: Repo) -> None:
    moved.gates(BAD)
    asks(moved, paths=["checks"], gates_live=["golden_integrity", "well"])
    run = moved.apply("--mlgate-phase", "live")
    assert run.ret == 1, run.text
    assert "'champion' is v1 again, instead of v2 (entry 3)" in run.text
    assert "serves v1 at http://127.0.0.1:" in run.text
    assert (moved.champion(), serves(moved)) == (CHAMPION, "models:/credit/1")
    assert workload(moved).note() == ""


def test_a_drill_in_progress_is_not_disturbed(moved: Repo, mlgates) -> None:
    assert workload(moved).leave('{"mark": "drill-1"}', instead_of="")
    code, _, err = mlgates("rollback", "--reason", "errors doubled", "--yes")
    assert code == 2
    assert "nothing was changed: local processes (serving in cluster) is in use by a drill: " in err
    assert (moved.champion(), serves(moved)) == (BETTER, "models:/credit/2")


class TestTheCommand:
    def test_what_serves_and_where(self, moved: Repo, mlgates) -> None:
        code, out, _ = mlgates("cluster")
        assert code == 0
        serving, asked, pod = out.splitlines()
        assert re.fullmatch(r"local processes \(serving in cluster\) serves models:/credit/2 \(run (\w+)\)", serving)
        assert re.fullmatch(r"  asked at http://127\.0\.0\.1:\d+", asked)
        assert re.fullmatch(r"  pod-[0-9a-f]{8} at 127\.0\.0\.1:\d+: run \w+, ready, 0 restarts", pod)

    def test_the_local_one_is_ended(self, moved: Repo, mlgates) -> None:
        assert mlgates("cluster", "stop") == (0, "the local cluster has ended, and everything it ran\n", "")
        assert mlgates("cluster")[1] == "local processes (serving in cluster) serves nothing\n"
        assert mlgates("cluster", "stop") == (0, "no local cluster is running\n", "")

    def test_without_a_cluster(self, repo: Repo, mlgates) -> None:
        code, _, err = mlgates("cluster")
        assert code == 2
        assert 'no cluster: write [tool.mlgates.cluster] with kind = "local" or "kubernetes"' in err

    def test_one_in_kubernetes_is_not_ended_here(self, repo: Repo, mlgates) -> None:
        place = 'context = "c"\nnamespace = "n"\ndeployment = "d"\ncontainer = "m"\n'
        repo.settings(f'[tool.mlgates.cluster]\nkind = "kubernetes"\n{place}')
        code, _, err = mlgates("cluster", "stop")
        assert code == 2
        assert "only a local cluster is ended here; one in Kubernetes is its own administrators' to end" in err

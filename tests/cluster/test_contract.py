"""What every cluster does: local processes, the stand-in, and a real Kubernetes run these same tests."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.measure.drill import rehearse
from pytest_mlgates.ports import Release, Version
from pytest_mlgates.rollout.staging import set_up
from pytest_mlgates.workload import IN_A_ROW, Part, Question, prove
from tests.cluster.cast import POLICY, FileRegistry, golden, outside
from tests.cluster.places import REPLICAS, Here

ONE, TWO = Release("models:/tiny/1", "run-1"), Release("models:/tiny/2", "run-2")
CRASH = Release("models:/tiny/3?crash", "run-3")
ROWS = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}).encode()


def ask(url: str) -> tuple[str, list[float]]:
    """(run id, predictions) of one question."""
    request = urllib.request.Request(f"{url}/invocations", ROWS, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["X-Model-Run-Id"], json.loads(answer.read())["predictions"]


@pytest.fixture
def serving(here: Here) -> Here:
    """The workload serves version 1, also at its address, which follows the pods a moment later."""
    here.cluster.deploy(ONE)
    here.cluster.settle(here.patience)
    at_the_address(here, ONE)
    return here


def at_the_address(here: Here, release: Release) -> None:
    deadline, right = time.monotonic() + here.patience, 0
    while right < IN_A_ROW:
        try:
            said = ask(here.cluster.url())[0]
        except OSError as problem:
            said = str(problem)
        right = right + 1 if said == release.run_id else 0
        assert time.monotonic() < deadline, f"{said} and not {release.run_id}"


def test_every_live_pod_and_the_address_answer_with_what_was_deployed(serving: Here) -> None:
    pods = serving.cluster.pods()
    assert len(pods) == REPLICAS
    assert all(pod.ready and pod.run_id == "run-1" and pod.restarts == 0 for pod in pods)
    assert len({pod.uid for pod in pods}) == REPLICAS
    assert serving.cluster.release() == ONE
    assert [ask(serving.cluster.url(pod)) for pod in pods] == [("run-1", [4.0, 8.0])] * REPLICAS
    assert ask(serving.cluster.url()) == ("run-1", [4.0, 8.0])


def test_a_new_release_replaces_every_pod_and_undo_brings_the_old_one_back(serving: Here) -> None:
    cluster = serving.cluster
    first = {pod.uid for pod in cluster.pods()}
    number = cluster.revisions()[-1].number
    cluster.deploy(TWO, "drill-x")
    cluster.settle(serving.patience)
    assert first.isdisjoint(pod.uid for pod in cluster.pods())
    assert [ask(cluster.url(pod)) for pod in cluster.pods()] == [("run-2", [5.0, 9.0])] * REPLICAS
    assert cluster.revisions()[-1].release == TWO
    assert cluster.revisions()[-1].mark == "drill-x"
    assert cluster.undo() == ONE
    cluster.settle(serving.patience)
    assert [ask(cluster.url(pod)) for pod in cluster.pods()] == [("run-1", [4.0, 8.0])] * REPLICAS
    after = cluster.revisions()
    # The old revision comes back under a new highest number, and does not stand there twice.
    assert [one.release for one in after][-2:] == [TWO, ONE]
    assert after[-1].number == number + 2
    assert after[-1].mark == ""
    assert [one.release for one in after].count(ONE) == 1


def test_undo_to_a_named_revision_and_to_none(serving: Here) -> None:
    cluster = serving.cluster
    named = cluster.revisions()[-1].number
    for release in (TWO, Release("models:/tiny/5", "run-5")):
        cluster.deploy(release)
        cluster.settle(serving.patience)
    assert cluster.undo(named) == ONE
    cluster.settle(serving.patience)
    assert ask(cluster.url(cluster.pods()[0])) == ("run-1", [4.0, 8.0])
    with pytest.raises(ActionFailed, match=r"no .*revision 77"):
        cluster.undo(77)


def test_what_carries_the_mark_is_removed_and_nothing_that_serves(serving: Here) -> None:
    cluster = serving.cluster
    cluster.deploy(TWO, "drill-x")
    cluster.settle(serving.patience)
    assert cluster.clean("drill-x") == (), "it serves"
    cluster.undo()
    cluster.settle(serving.patience)
    assert cluster.clean("drill-other") == ()
    assert len(cluster.clean("drill-x")) == 1
    assert TWO not in [one.release for one in cluster.revisions()]
    at_the_address(serving, ONE)


def test_deploying_what_is_there_changes_nothing(serving: Here) -> None:
    before = [pod.uid for pod in serving.cluster.pods()]
    serving.cluster.deploy(ONE)
    serving.cluster.settle(serving.patience)
    assert sorted(pod.uid for pod in serving.cluster.pods()) == sorted(before)


def test_a_killed_pod_is_replaced_by_another(serving: Here) -> None:
    victim = serving.cluster.pods()[0]
    seconds = serving.cluster.kill(victim, serving.patience)
    assert 0 < seconds < serving.patience
    pods = serving.cluster.pods()
    assert victim.uid not in {pod.uid for pod in pods}
    assert sum(pod.ready for pod in pods) == REPLICAS


def test_a_crash_loop_is_told_with_its_last_words_and_the_old_pods_go_on(serving: Here) -> None:
    cluster = serving.cluster
    cluster.deploy(CRASH)
    with pytest.raises(CouldNotEvaluate) as told:
        cluster.settle(serving.patience)
    assert "crash loop" in str(told.value)
    assert "this model cannot be loaded" in str(told.value)
    assert ask(cluster.url()) == ("run-1", [4.0, 8.0])
    cluster.undo()
    cluster.settle(serving.patience)
    assert all(pod.run_id == "run-1" and pod.ready for pod in cluster.pods())


def test_healthy_pods_of_another_version_are_not_taken_for_it(serving: Here) -> None:
    """Ready is what a probe says; who serves is proven by run id and golden answers."""
    question = Question(("a", "b"), [[1.0, 2.0], [3.0, 4.0]])
    two = Part(Version("tiny", "2", run_id="run-2"), TWO, (5.0, 9.0))
    with pytest.raises(CouldNotEvaluate, match="says it is run run-1, not run-2 of v2"):
        prove(serving.cluster, question, two, 0.2)
    serving.cluster.deploy(Release("models:/tiny/2?lies", "run-2"))
    serving.cluster.settle(serving.patience)
    with pytest.raises(
        CouldNotEvaluate, match=r"says it is v2 \(run run-2\), but its golden answers are another model's"
    ):
        prove(serving.cluster, question, two, 0.2)


def test_a_rollout_that_does_not_end_is_given_up_at_our_own_deadline(serving: Here) -> None:
    serving.cluster.deploy(Release("models:/tiny/4?silent", "run-4"))
    with pytest.raises(CouldNotEvaluate, match=r"not finished within 1\.5 s"):
        serving.cluster.settle(1.5)
    assert ask(serving.cluster.url()) == ("run-1", [4.0, 8.0])


def test_no_request_fails_while_one_release_replaces_another(serving: Here) -> None:
    over = Event()
    url = serving.cluster.url()

    def keep_asking() -> list[tuple[str, list[float]]]:
        said = []
        while not over.is_set():
            said.append(ask(url))
        return said

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(keep_asking) for _ in range(2)]
        serving.cluster.deploy(TWO)
        serving.cluster.settle(serving.patience)
        serving.cluster.undo()
        serving.cluster.settle(serving.patience)
        over.set()
        said = [one for future in asking for one in future.result()]
    assert len(said) > 10
    assert {json.dumps(one) for one in said} == {'["run-1", [4.0, 8.0]]', '["run-2", [5.0, 9.0]]'}


def test_a_note_is_left_only_instead_of_the_one_that_was_read(serving: Here) -> None:
    cluster, other = serving.cluster, serving.open()
    assert cluster.note() == ""
    assert cluster.leave('{"a": 1}', instead_of="")
    assert not other.leave("mine", instead_of="")
    assert other.note() == '{"a": 1}'
    assert other.leave("", instead_of='{"a": 1}')
    assert cluster.note() == ""
    other.close()


def test_events_and_logs_say_what_happened(serving: Here) -> None:
    assert "serving models:/tiny/1" in serving.cluster.logs(serving.cluster.pods()[0])
    serving.cluster.deploy(CRASH)
    with pytest.raises(CouldNotEvaluate):
        serving.cluster.settle(serving.patience)
    assert serving.cluster.events()


def test_the_name_says_what_kind_of_cluster_it_is(here: Here) -> None:
    expected = {True: "stand-in API server, not a cluster", False: ""}[here.standin is not None]
    assert expected in here.cluster.name
    assert here.cluster.name.startswith("local processes" if here.place is None else "Kubernetes ")


def test_a_whole_drill_leaves_the_workload_as_it_was(
    serving: Here, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    aliases = {"champion": "1", "challenger": "2"}
    (tmp_path / "aliases.json").write_text(json.dumps(aliases))
    registry = FileRegistry(tmp_path / "aliases.json")
    begun = time.monotonic()
    drilled = rehearse(set_up(outside(serving.cluster, registry), golden(), POLICY, print), 1, print)
    record_property("seconds of the whole drill", time.monotonic() - begun)
    record_property("seconds to deploy and to restore", (*drilled.deploys, *drilled.restores))
    assert drilled.restored and not drilled.trouble, drilled.trouble
    assert drilled.asked is not None
    assert drilled.asked.failed == 0, drilled.asked.faults
    assert set(drilled.asked.right) == {"run-1", "run-2"}
    assert serving.cluster.release() == ONE
    assert registry.aliases == aliases
    assert serving.cluster.note() == ""
    assert {one.mark for one in serving.cluster.revisions()} == {""}

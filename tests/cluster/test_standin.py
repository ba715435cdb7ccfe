"""The stand-in does what a real Kubernetes 1.36 was measured to do (the adapter leans on each), and says what it is."""

from __future__ import annotations

import copy
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.kubernetes_api import Api, Refused
from pytest_mlgates.adapters.kubernetes_state import rolled_out
from tests.cluster import places
from tests.cluster.places import REPLICAS, Here

NAMESPACE, NAME = "staging", "scorer"


@pytest.fixture
def api(standin: Here) -> Iterator[Api]:
    assert standin.api is not None
    until(lambda: rolled_out(deployment(standin.api)))  # type: ignore[arg-type]
    yield standin.api


def until(holds: Callable[[], Any], within: float = 15) -> Any:
    deadline = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)
    return found


def deployment(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.raw(api.apps.read_namespaced_deployment, NAME, NAMESPACE)
    return found


def pods(api: Api, **words: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.raw(api.core.list_namespaced_pod, NAMESPACE, **words)["items"]
    return found


def patch(api: Api, body: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.raw(api.apps.patch_namespaced_deployment, NAME, NAMESPACE, body)
    return found


def env(run: str) -> dict[str, Any]:
    variables = [{"name": "RUN_ID", "value": run}]
    return {"spec": {"template": {"spec": {"containers": [{"name": "model", "env": variables}]}}}}


def test_it_says_that_it_is_no_cluster(api: Api) -> None:
    assert api.server() == "stand-in API server, not a cluster"


def test_1_a_pod_that_goes_away_stays_running_with_its_address_and_still_answers(api: Api) -> None:
    victim = pods(api)[0]["metadata"]["name"]
    api.raw(api.core.delete_namespaced_pod, victim, NAMESPACE)
    going = next(pod for pod in pods(api) if pod["metadata"]["name"] == victim)
    assert going["metadata"]["deletionTimestamp"]
    assert going["status"]["phase"] == "Running"
    with urllib.request.urlopen(f"http://{going['status']['podIP']}:8080/ping", timeout=5) as answer:
        assert answer.status == 200
    until(lambda: victim not in [pod["metadata"]["name"] for pod in pods(api)])


def test_2_the_controller_lags_behind_and_a_rollout_is_done_by_its_counts(api: Api) -> None:
    after = patch(api, env("run-9"))
    assert after["status"]["observedGeneration"] < after["metadata"]["generation"]
    counts = [after["status"][name] for name in ("replicas", "updatedReplicas", "availableReplicas")]
    assert counts == [REPLICAS] * 3, "the old counts alone would say done"
    assert not rolled_out(after)
    until(lambda: rolled_out(deployment(api)))
    assert {v["value"] for pod in pods(api) for v in pod["spec"]["containers"][0]["env"] if v["name"] == "RUN_ID"} >= {
        "run-9"
    }


def test_2_a_rollout_that_makes_no_progress_is_called_so(api: Api) -> None:
    image = {"spec": {"template": {"spec": {"containers": [{"name": "model", "image": "registry.invalid/none:1"}]}}}}
    image["spec"]["progressDeadlineSeconds"] = 1  # type: ignore[assignment]
    patch(api, image)
    condition = until(
        lambda: [c for c in deployment(api)["status"]["conditions"] if c["reason"] == "ProgressDeadlineExceeded"]
    )
    assert (condition[0]["type"], condition[0]["status"]) == ("Progressing", "False")


def test_3_a_killed_pod_comes_back_under_another_uid_and_a_watch_sees_both(api: Api) -> None:
    listed = api.raw(api.core.list_namespaced_pod, NAMESPACE)
    victim = listed["items"][0]
    api.raw(api.core.delete_namespaced_pod, victim["metadata"]["name"], NAMESPACE)
    since, seen = listed["metadata"]["resourceVersion"], []
    for one in api.watch(api.core.list_namespaced_pod, NAMESPACE, since=since, seconds=4):
        seen.append((one["event"], one["metadata"]["uid"]))
        if one["event"] == "DELETED":
            break
    old = victim["metadata"]["uid"]
    assert ("MODIFIED", old) in seen
    assert seen[-1] == ("DELETED", old)
    assert any(event == "ADDED" and uid != old for event, uid in seen)


def test_4_the_two_conflicts_a_failed_test_and_a_missing_namespace_differ(api: Api) -> None:
    with pytest.raises(Refused) as exists:
        api.raw(api.core.create_namespace, {"metadata": {"name": NAMESPACE}})
    assert (exists.value.status, exists.value.reason) == (409, "AlreadyExists")
    with pytest.raises(Refused) as conflict:
        patch(api, {"metadata": {"resourceVersion": "1", "annotations": {"a": "b"}}})
    assert (conflict.value.status, conflict.value.reason) == (409, "Conflict")
    with pytest.raises(Refused) as failed:
        patch(api, [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}])
    assert (failed.value.status, failed.value.reason) == (422, "Invalid")
    with pytest.raises(Refused) as missing:
        api.raw(api.core.create_namespaced_service, "nowhere", {"metadata": {"name": "x"}, "spec": {}})
    assert missing.value.status == 404
    assert str(missing.value) == 'namespaces "nowhere" not found'


def test_5_status_is_ignored_and_a_label_bumps_the_version_not_the_generation(api: Api) -> None:
    before = deployment(api)
    after = patch(api, {"status": {"replicas": 77}, "metadata": {"labels": {"team": "x"}}})
    assert after["status"].get("replicas") == before["status"]["replicas"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    whole = copy.deepcopy(after)
    whole["spec"]["replicas"] = 1
    put = api.raw(api.apps.replace_namespaced_deployment, NAME, NAMESPACE, whole)
    assert put["metadata"]["generation"] == after["metadata"]["generation"] + 1


def test_6_a_strategic_merge_joins_containers_by_name_and_a_merge_patch_replaces_them(standin: Here, api: Api) -> None:
    joined = patch(api, env("run-5"))["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in joined] == ["model"]
    assert joined[0]["command"], "the rest of the container is still there"
    assert {v["name"] for v in joined[0]["env"]} > {"RUN_ID", "MODEL_URI"}
    assert standin.standin is not None
    request = urllib.request.Request(
        f"{standin.standin.url}/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}",
        json.dumps(env("run-6")).encode(),
        {"Content-Type": "application/merge-patch+json", "Authorization": "Bearer all"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        replaced = json.loads(answer.read())["spec"]["template"]["spec"]["containers"]
    assert replaced == [{"name": "model", "env": [{"name": "RUN_ID", "value": "run-6"}]}]


def test_7_going_back_uses_the_old_replica_set_again_under_a_new_highest_revision(standin: Here, api: Api) -> None:
    def numbers() -> dict[str, int]:
        items = api.raw(api.apps.list_namespaced_replica_set, NAMESPACE)["items"]
        key = "deployment.kubernetes.io/revision"
        return {one["metadata"]["name"]: int(one["metadata"]["annotations"][key]) for one in items}

    first = numbers()
    patch(api, env("run-8"))
    until(lambda: rolled_out(deployment(api)))
    standin.cluster.undo()
    until(lambda: rolled_out(deployment(api)))
    after = numbers()
    (name,) = first
    assert len(after) == 2
    assert after[name] == max(after.values()) == 3
    template = deployment(api)["spec"]["template"]
    assert "pod-template-hash" not in template["metadata"]["labels"]


def test_8_a_pod_without_a_service_account_is_refused_until_there_is_one(api: Api) -> None:
    api.raw(api.core.create_namespace, {"metadata": {"name": "fresh"}})
    bare = {"metadata": {"name": "bare"}, "spec": {"containers": [{"name": "c", "image": "i", "command": ["true"]}]}}
    with pytest.raises(Refused) as refused:
        api.raw(api.core.create_namespaced_pod, "fresh", bare)
    assert (refused.value.status, refused.value.reason) == (403, "Forbidden")

    def created() -> bool:
        try:
            api.raw(api.core.create_namespaced_pod, "fresh", bare)
        except Refused:
            return False
        return True

    until(created)


def test_selectors_are_honoured_and_one_it_does_not_know_is_refused(api: Api) -> None:
    assert len(pods(api, label_selector="app=scorer")) == REPLICAS
    assert pods(api, label_selector="app=scorer,app!=scorer") == []
    assert len(pods(api, label_selector="app in (a, scorer)")) == REPLICAS
    assert pods(api, field_selector="metadata.name=nobody") == []
    with pytest.raises(Refused) as refused:
        pods(api, label_selector="app ~ scorer")
    assert refused.value.status == 400


def test_what_it_does_not_know_it_refuses(api: Api, standin: Here) -> None:
    assert standin.standin is not None
    request = urllib.request.Request(
        f"{standin.standin.url}/apis/batch/v1/jobs", headers={"Authorization": "Bearer all"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 404


def test_the_real_place_is_only_ever_named_by_two_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An ambient kubeconfig is nobody's invitation."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "ambient"))
    for name in ("MLGATES_TEST_KUBECONFIG", "MLGATES_TEST_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyError, match="MLGATES_TEST_KUBECONFIG"), places.real(tmp_path):
        pass

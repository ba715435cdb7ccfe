"""The stand-in does what a real Kubernetes 1.36 was measured to do (the adapter leans on each), and says what it is."""

from __future__ import annotations

import copy
import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.kubernetes.api import Api, Refused
from pytest_mlgates.adapters.kubernetes.state import rolled_out
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
    whole = env("run-6")
    whole["spec"]["template"]["spec"]["containers"][0]["image"] = "none"
    request = urllib.request.Request(
        f"{standin.standin.url}/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}",
        json.dumps(whole).encode(),
        {"Content-Type": "application/merge-patch+json", "Authorization": "Bearer all"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        replaced = json.loads(answer.read())["spec"]["template"]["spec"]["containers"]
    assert [one["env"] for one in replaced] == [[{"name": "RUN_ID", "value": "run-6"}]]
    assert "command" not in replaced[0] and "ports" not in replaced[0]


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


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    with pytest.raises(Refused) as told:
        call()
    return told.value.status, told.value.reason, str(told.value)


def container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "model", **fields}]}}}}


def test_a_field_that_does_not_exist_is_refused(api: Api) -> None:
    """A real server of today only warns, and leaves it out: what is misspelt must not pass here."""
    status, reason, said = refused(lambda: patch(api, container(readynessProbe={})))
    assert (status, reason) == (400, "BadRequest")
    assert "strict decoding error" in said and "readynessProbe" in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"spec": {"selector": {"matchLabels": {"app": "other"}}}}, "`selector` does not match template `labels`"),
        ({"spec": {"selector": {"matchLabels": {"tier": None}, "matchExpressions": []}}}, "field is immutable"),
        (
            container(env=[{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]),
            "env: ",
        ),
        (container(image=""), "Required value"),
        ({"spec": {"template": {"metadata": {"labels": {"mlgates.dev/mark": "no blanks"}}}}}, "Invalid value"),
        ({"spec": {"replicas": "two"}}, "is not of type"),
    ],
)
def test_what_is_no_valid_deployment_is_422(api: Api, body: dict[str, Any], said: str) -> None:
    status, reason, message = refused(lambda: patch(api, body))
    assert (status, reason) == (422, "Invalid")
    assert said in message


def test_what_is_left_out_is_filled_in_and_pods_get_more_than_their_template(api: Api) -> None:
    """Templates are compared with templates, and never with pods."""
    found = deployment(api)["spec"]
    assert found["progressDeadlineSeconds"] == 600
    assert found["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    pod = pods(api)[0]["spec"]
    assert pod["serviceAccountName"] == "default"
    assert {one["key"] for one in pod["tolerations"]} > {"node.kubernetes.io/not-ready"}
    assert "tolerations" not in found["template"]["spec"]


def test_counts_that_are_zero_are_left_out(api: Api) -> None:
    patch(api, {"spec": {"replicas": 0}})
    until(lambda: rolled_out(deployment(api)))
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    assert [name for name in counts if name in deployment(api)["status"]] == []


def test_names_are_made_of_signs_that_make_no_words(api: Api) -> None:
    for pod in pods(api):
        assert re.fullmatch(
            r"scorer-[bcdfghjklmnpqrstvwxz2456789]+-[bcdfghjklmnpqrstvwxz2456789]{5}", pod["metadata"]["name"]
        )


def test_a_deletion_holds_only_for_the_version_that_was_read(api: Api) -> None:
    models = api.models
    (found,) = api.raw(api.apps.list_namespaced_replica_set, NAMESPACE)["items"]
    only = models.V1Preconditions(uid=found["metadata"]["uid"], resource_version="1")
    name, body = found["metadata"]["name"], models.V1DeleteOptions(preconditions=only)
    status, reason, _ = refused(lambda: api.raw(api.apps.delete_namespaced_replica_set, name, NAMESPACE, body=body))
    assert (status, reason) == (409, "Conflict")


def test_what_has_finalizers_stays_until_they_are_gone(api: Api) -> None:
    (found,) = api.raw(api.apps.list_namespaced_replica_set, NAMESPACE)["items"]
    name = found["metadata"]["name"]
    body = {"metadata": {"finalizers": ["example.com/hold"]}}
    api.raw(api.apps.patch_namespaced_replica_set, name, NAMESPACE, body)
    gone = api.raw(api.apps.delete_namespaced_replica_set, name, NAMESPACE)
    assert gone["metadata"]["deletionTimestamp"]
    assert api.raw(api.apps.read_namespaced_replica_set, name, NAMESPACE)["metadata"]["finalizers"]


def test_a_pod_that_does_not_end_in_its_grace_is_killed(api: Api) -> None:
    ignores = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    spec = {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "c", "image": "i", "command": [sys.executable, "-S", "-c", ignores]}],
    }
    api.raw(api.core.create_namespaced_pod, NAMESPACE, {"metadata": {"name": "deaf"}, "spec": spec})
    until(
        lambda: api.text(api.core.read_namespaced_pod_log, "deaf", NAMESPACE) == "up\n" if running("deaf", api) else ""
    )
    begun = time.monotonic()
    api.raw(api.core.delete_namespaced_pod, "deaf", NAMESPACE)
    until(lambda: "deaf" not in [pod["metadata"]["name"] for pod in pods(api)])
    assert time.monotonic() - begun > 1


def running(name: str, api: Api) -> bool:
    return bool(api.raw(api.core.read_namespaced_pod, name, NAMESPACE)["status"].get("podIP"))


def test_logs_are_of_one_run_at_a_time(api: Api) -> None:
    def log(previous: bool) -> str:
        return api.text(api.core.read_namespaced_pod_log, "twice", NAMESPACE, previous=previous)

    counts = "import sys, time; print(time.time(), flush=True); sys.exit(1)"
    spec = {"containers": [{"name": "c", "image": "i", "command": [sys.executable, "-S", "-c", counts]}]}
    api.raw(api.core.create_namespaced_pod, NAMESPACE, {"metadata": {"name": "twice"}, "spec": spec})

    def status() -> dict[str, Any]:
        found: list[dict[str, Any]] = api.raw(api.core.read_namespaced_pod, "twice", NAMESPACE)["status"].get(
            "containerStatuses", []
        )
        return found[0] if found else {}

    until(lambda: status().get("restartCount", 0) >= 2)
    assert len(log(previous=False).splitlines()) == 1
    (pod, _) = [one["metadata"]["name"] for one in pods(api, label_selector="app=scorer")]
    said = refused(lambda: api.text(api.core.read_namespaced_pod_log, pod, NAMESPACE, previous=True))
    assert said == (400, "BadRequest", f'previous terminated container "model" in pod "{pod}" not found')


def test_a_watch_from_too_long_ago_says_so_in_an_event(api: Api, standin: Here) -> None:
    assert standin.standin is not None
    standin.standin.store.oldest = standin.standin.store.version
    assert list(api.watch(api.core.list_namespaced_pod, NAMESPACE, since="1", seconds=5)) == []


def test_nothing_is_created_in_a_namespace_that_goes(api: Api, standin: Here) -> None:
    api.raw(api.core.create_namespace, {"metadata": {"name": "going", "finalizers": ["kubernetes"]}})
    api.raw(api.core.delete_namespace, "going")
    service = {"metadata": {"name": "x"}, "spec": {"selector": {}, "ports": []}}
    status, reason, said = refused(lambda: api.raw(api.core.create_namespaced_service, "going", service))
    assert (status, reason) == (403, "Forbidden")
    assert said == "unable to create new content in namespace going because it is being terminated"


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

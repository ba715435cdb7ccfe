"""What can be wrong with a Kubernetes cluster, and the sentence for each."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.kubernetes import api as kubernetes_api
from pytest_mlgates.adapters.kubernetes import state as state
from pytest_mlgates.adapters.kubernetes.cluster import KubernetesCluster
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, Unreachable, UsageError
from pytest_mlgates.ports import Release
from tests.cluster.places import Here
from tests.cluster.standin.store import Refused
from tests.cluster.test_standin import until

ONE = Release("models:/tiny/1", "run-1")


def other(here: Here, **keys: Any) -> KubernetesCluster:
    assert here.place is not None
    return KubernetesCluster(dataclasses.replace(here.place, **keys))


def said(call: Callable[[], Any], kind: type[Exception] = CouldNotEvaluate) -> str:
    with pytest.raises(kind) as told:
        call()
    return str(told.value)


def test_a_context_that_is_not_there(standin: Here) -> None:
    assert standin.place is not None
    file = standin.place.kubeconfig
    told = said(lambda: other(standin, context="standing"), UsageError)
    assert told == f"the kubeconfig {file} has no context 'standing': did you mean 'standin'?"


def test_no_kubeconfig(standin: Here, tmp_path: Path) -> None:
    told = said(lambda: other(standin, kubeconfig=str(tmp_path / "none")), UsageError)
    expected = f"there is no kubeconfig {tmp_path}/none: write kubeconfig in [tool.mlgates.cluster], or set KUBECONFIG"
    assert told == expected


def test_unreachable(standin: Here, tmp_path: Path) -> None:
    assert standin.standin is not None and standin.place is not None
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    file = Path(standin.place.kubeconfig)
    file.write_text(file.read_text().replace(standin.standin.url, f"http://127.0.0.1:{port}"))
    told = said(other(standin).release)
    assert told.startswith(f"the API server of context 'standin' (http://127.0.0.1:{port}) cannot be reached: ")
    assert "refused" in told


def test_401(standin: Here, tmp_path: Path) -> None:
    assert standin.standin is not None
    config = standin.standin.kubeconfig(tmp_path / "expired", token="expired")
    told = said(other(standin, kubeconfig=str(config)).release)
    assert told.endswith(
        "does not know who we are (401): the credentials of context 'standin' are wrong or have expired"
    )


def test_403(standin: Here, tmp_path: Path) -> None:
    assert standin.standin is not None
    config = standin.standin.kubeconfig(tmp_path / "reader", token="read")
    reader = other(standin, kubeconfig=str(config))
    assert reader.release() is not None
    told = said(lambda: reader.deploy(ONE), ActionFailed)
    assert told == (
        "cannot deploy models:/tiny/1 (run run-1) of the Deployment staging/scorer: 403 Forbidden: deployments.apps "
        '"scorer" is forbidden: User "reader" cannot patch resource "deployments" in API group "apps" in the namespace '
        '"staging"; give the role that right (ci/kubernetes has one)'
    )


def test_a_namespace_that_is_missing(standin: Here) -> None:
    assert said(other(standin, namespace="stagin").release) == (
        "there is no namespace 'stagin' in context 'standin': create it, or write another namespace in "
        "[tool.mlgates.cluster]"
    )


def test_a_deployment_or_a_container_that_is_missing(standin: Here) -> None:
    assert said(other(standin, deployment="scorre").release) == (
        "there is no Deployment 'scorre' in namespace 'staging' of context 'standin': apply it first (ci/kubernetes "
        "has one)"
    )
    assert said(other(standin, container="modle").release) == (
        "the Deployment staging/scorer has no container 'modle': it has model; write the right one as container in "
        "[tool.mlgates.cluster]"
    )


def patched(here: Here, body: Any) -> None:
    assert here.api is not None
    here.api.raw(here.api.apps.patch_namespaced_deployment, "scorer", "staging", body)


def test_a_role_that_may_not_watch(standin: Here, tmp_path: Path) -> None:
    server = standin.standin
    assert server is not None
    server.tokens["blind"] = "blind"
    server.roles["blind"] = lambda right: right[0] != "watch"
    config = server.kubeconfig(tmp_path / "blind", token="blind")
    blind = other(standin, kubeconfig=str(config))
    blind.deploy(ONE)
    assert said(lambda: blind.settle(20)).startswith(
        'cannot watch Deployments of the Deployment staging/scorer: 403 Forbidden: deployments.apps "" is forbidden: '
        'User "blind" cannot watch resource'
    )


def test_a_403_of_an_admission_webhook_asks_for_no_rights(standin: Here) -> None:
    server = standin.standin
    assert server is not None

    def deny() -> None:
        raise Refused(403, "Forbidden", 'admission webhook "policy.example.com" denied the request: no label owner')

    server.before_patch = deny
    told = said(lambda: standin.cluster.deploy(ONE), ActionFailed)
    assert told.endswith(
        "403 Forbidden: " + 'admission webhook "policy.example.com" denied the request: no label owner'
    )


class TestNotNow:
    """Trouble on the way is met by asking again; nothing is done twice."""

    def faults(self, here: Here, what: str, start: str, times: int) -> list[str]:
        met: list[str] = []

        def fault(request: str) -> str:
            if request.startswith(start) and len(met) < times:
                met.append(request)
                return what
            return ""

        assert here.standin is not None
        here.standin.fault = fault
        return met

    @pytest.mark.parametrize("what", ["away", "busy"])
    def test_a_reading_is_asked_again(self, standin: Here, what: str) -> None:
        assert standin.cluster.release() is not None
        met = self.faults(standin, what, "GET", 2)
        assert standin.cluster.release() is not None
        assert len(met) == 2

    def test_the_first_reading_is_not(self, standin: Here) -> None:
        """A wrong address is told at once."""
        self.faults(standin, "away", "GET", 1)
        assert "cannot be reached" in said(other(standin).release, Unreachable)

    @pytest.mark.parametrize("what", ["away", "busy", "lost"])
    def test_a_change_is_made_once(self, standin: Here, what: str) -> None:
        """`lost`: it was made, and nobody heard."""
        standin.cluster.settle(20)
        before = len(standin.cluster.revisions())
        met = self.faults(standin, what, "PATCH", 1)
        standin.cluster.deploy(ONE)
        standin.cluster.settle(20)
        assert len(met) == 1
        assert len(standin.cluster.revisions()) == before + 1
        met = self.faults(standin, what, "PATCH", 1)
        assert standin.cluster.leave("mine", instead_of="")
        assert len(met) == 1
        assert standin.cluster.note() == "mine"

    def test_a_server_that_stays_away_is_lost(self, standin: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kubernetes_api, "PATIENCE", 0.3)
        standin.cluster.settle(20)
        self.faults(standin, "busy", "", 999)
        told = said(lambda: standin.cluster.deploy(ONE), Unreachable)
        assert told.startswith("cannot deploy models:/tiny/1 (run run-1): the API server of context 'standin' (http://")
        assert told.endswith(
            "cannot serve now: 503 ServiceUnavailable: the server is currently unable to handle the request"
        )

    def test_a_watch_whose_beginning_is_forgotten_begins_again(self, standin: Here) -> None:
        server = standin.standin
        assert server is not None
        standin.cluster.settle(20)
        standin.cluster.deploy(ONE)
        server.store.oldest = server.store.version + 1
        server.fault = lambda request: setattr(server.store, "oldest", 0) or "" if "watch" not in request else ""
        standin.cluster.settle(20)

    @pytest.mark.parametrize("what", ["away", "busy"])
    def test_a_watch_that_cannot_begin_is_no_end(self, standin: Here, what: str) -> None:
        """503, or 504 of a server whose cache is behind what was just read."""
        standin.cluster.settle(20)
        standin.cluster.deploy(ONE)
        server = standin.standin
        assert server is not None
        met: list[str] = []

        def fault(request: str) -> str:
            met.extend([request] if "watch=true" in request else [])
            return what if "watch=true" in request and len(met) < 3 else ""

        server.fault = fault
        standin.cluster.settle(20)
        assert met

    def test_what_is_no_api_server(self, standin: Here) -> None:
        """A login page, say, with status 200."""
        standin.cluster.settle(20)
        pod = standin.cluster.pods()[0]
        assert standin.api is not None
        told = said(
            lambda: standin.api.raw(standin.api.core.read_namespaced_pod_log, pod.name, "staging"),  # type: ignore[union-attr]
            Unreachable,
        )
        assert "answers 'serving models:/tiny/0" in told
        assert told.endswith("is that an API server, or something in front of it?")


def test_that_the_controller_gave_up_before_is_not_held_against_the_next_rollout(standin: Here) -> None:
    """The condition stays on the Deployment, under the new generation too, until there is progress again."""
    standin.cluster.settle(20)
    standin.cluster.deploy(ONE)
    standin.cluster.settle(20)
    patched(standin, {"spec": {"progressDeadlineSeconds": 1}})
    standin.cluster.deploy(Release("models:/tiny/4?silent", "run-4"))
    assert "ProgressDeadlineExceeded" in said(lambda: standin.cluster.settle(20))
    first = next(one for one in standin.cluster.revisions() if one.release.run_id == "run-0")
    standin.cluster.undo(first.number)
    standin.cluster.settle(20)
    assert standin.cluster.release() == Release("models:/tiny/0", "run-0")


def test_what_was_told_a_moment_ago_is_gone_back_from(standin: Here) -> None:
    """The controller may not have made its ReplicaSet yet: then the highest revision is the one before it."""
    standin.cluster.settle(20)
    standin.cluster.deploy(ONE)
    standin.cluster.settle(20)
    standin.cluster.deploy(Release("models:/tiny/2", "run-2"))
    assert standin.cluster.undo() == ONE
    standin.cluster.settle(20)
    assert standin.cluster.release() == ONE


def test_a_paused_deployment_is_told(standin: Here) -> None:
    standin.cluster.settle(20)
    patched(standin, {"spec": {"paused": True}})
    standin.cluster.deploy(ONE)
    assert "not finished within 1 s (its rollouts are paused: `kubectl rollout resume`)" in said(
        lambda: standin.cluster.settle(1)
    )


def test_words_of_pods(standin: Here) -> None:
    """A log may be JSON, or empty; a container that waits to start has none."""
    standin.cluster.settle(20)
    (pod, _) = standin.cluster.pods()
    assert standin.cluster.logs(pod) == "serving models:/tiny/0\n"
    standin.cluster.deploy(Release("models:/tiny/4?json", "run-4"))
    standin.cluster.settle(20)
    assert {standin.cluster.logs(pod) for pod in standin.cluster.pods()} == {'{"level": "info"}\n'}
    standin.cluster.deploy(Release("models:/tiny/4?mute", "run-4"))
    standin.cluster.settle(20)
    assert {standin.cluster.logs(pod) for pod in standin.cluster.pods()} == {""}
    patched(
        standin, {"spec": {"template": {"spec": {"containers": [{"name": "model", "image": "registry.invalid/x"}]}}}}
    )
    waiting = until(lambda: [pod for pod in standin.cluster.pods() if not pod.ready])
    assert standin.cluster.logs(waiting[0]) == ""


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("scorer", True),
        ("scorer-7c5ddbdf54", True),
        ("scorer-7c5ddbdf54-x2x4z", True),
        ("scorer-canary", False),
        ("scorer-canary-7c5ddbdf54-x2x4z", False),
        ("scorers", False),
    ],
)
def test_whose_events_are_told(name: str, ours: bool) -> None:
    assert state.concerns(name, "scorer") is ours


def test_an_image_that_is_missing_is_told_at_the_controllers_deadline(standin: Here) -> None:
    standin.cluster.settle(20)
    container = {"name": "model", "image": "registry.invalid/none:1"}
    patched(standin, {"spec": {"progressDeadlineSeconds": 1, "template": {"spec": {"containers": [container]}}}})
    told = said(lambda: standin.cluster.settle(20))
    assert told.startswith("the rollout of the Deployment staging/scorer: ProgressDeadlineExceeded it has timed out")
    assert "progressing.; scorer-" in told, "one part after the other"
    assert 'waits: ImagePullBackOff: Back-off pulling image "registry.invalid/none:1"' in told


def test_a_quota_is_told(standin: Here) -> None:
    standin.cluster.settle(20)
    assert standin.api is not None
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}}
    standin.api.raw(standin.api.core.create_namespaced_resource_quota, "staging", quota)
    standin.cluster.deploy(ONE)
    told = said(lambda: standin.cluster.settle(2))
    assert "not finished within 2 s (pods is forbidden: exceeded quota: small" in told


class TestSomebodyElse:
    """Edits by another controller between our reading and our writing."""

    def meddle(self, here: Here, body: Any, times: int = 1) -> None:
        left = [times]

        def once() -> None:
            if left[0] > 0:
                left[0] -= 1
                standin = here.standin
                assert standin is not None
                store = standin.store
                found = store.get("deployments", "staging", "scorer")
                body(found)
                store.update("deployments", "staging", "scorer", found)

        assert here.standin is not None
        here.standin.before_patch = once

    def test_a_label_is_no_reason_to_give_up(self, standin: Here) -> None:
        standin.cluster.settle(20)
        self.meddle(standin, lambda one: one["metadata"].setdefault("labels", {}).update(by="them"), 2)
        standin.cluster.deploy(ONE)
        standin.cluster.settle(20)
        self.meddle(standin, lambda one: one["metadata"]["labels"].update(by="them again"), 2)
        standin.cluster.undo()
        standin.cluster.settle(20)
        assert standin.cluster.release() == Release("models:/tiny/0", "run-0")

    def test_the_template_is(self, standin: Here) -> None:
        standin.cluster.settle(20)

        def change(one: dict[str, Any]) -> None:
            one["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "models:/tiny/7"

        self.meddle(standin, change)
        told = said(lambda: standin.cluster.deploy(ONE), ActionFailed)
        assert told == (
            "cannot deploy models:/tiny/1 (run run-1): somebody else changes the Deployment staging/scorer at the same "
            "time (409 Conflict); find out who (another pipeline, a GitOps controller), then run again"
        )

    def test_and_so_it_is_while_we_wait(self, standin: Here) -> None:
        standin.cluster.settle(20)
        standin.cluster.deploy(Release("models:/tiny/4?silent", "run-4"))
        other(standin).deploy(ONE)
        assert said(lambda: standin.cluster.settle(20)) == (
            "somebody else changed the Deployment staging/scorer during the rollout: it is told to serve "
            "models:/tiny/1 (run run-1) now, not models:/tiny/4?silent (run run-4)"
        )


def test_a_wrong_type_is_ours_to_find_before_any_request(standin: Here) -> None:
    """Client 37 is pydantic-based; objects go out as dictionaries, so the server has the last word there."""
    told = said(lambda: standin.cluster.deploy(Release("models:/tiny/1", 7)), ActionFailed)  # type: ignore[arg-type]
    assert "400 BadRequest" in told


def test_the_relay_lets_nobody_in_without_its_token(standin: Here) -> None:
    import urllib.error
    import urllib.request

    standin.cluster.settle(20)
    base = standin.cluster.url().rsplit("/", 2)[0]
    for path in ("/service/ping", "/guess/service/ping"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(base + path, timeout=5)
        assert refused.value.code == 404

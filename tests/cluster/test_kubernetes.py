"""What can be wrong with a Kubernetes cluster, and the sentence for each."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.kubernetes_cluster import KubernetesCluster
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, UsageError
from pytest_mlgates.ports import Release
from tests.cluster.places import Here

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
        '"scorer" is forbidden: User "reader" cannot patch resource "deployments"; give the role that right '
        "(ci/kubernetes has one)"
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


def test_an_image_that_is_missing_is_told_at_the_controllers_deadline(standin: Here) -> None:
    standin.cluster.settle(20)
    container = {"name": "model", "image": "registry.invalid/none:1"}
    patched(standin, {"spec": {"progressDeadlineSeconds": 1, "template": {"spec": {"containers": [container]}}}})
    told = said(lambda: standin.cluster.settle(20))
    assert told.startswith("the rollout of the Deployment staging/scorer: ProgressDeadlineExceeded")
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

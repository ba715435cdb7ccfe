"""Where the contract is tried: local processes, the stand-in API server, and a real cluster when one is named.

A real cluster is used only with MLGATES_TEST_KUBECONFIG and MLGATES_TEST_CONTEXT, never an ambient kubeconfig. Each
test gets a namespace of its own there, and a namespace is deleted only if it carries this run's id.
MLGATES_TEST_IMAGE (python:3.11-slim) must have `python`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.kubernetes.api import Api, Refused
from pytest_mlgates.adapters.kubernetes.cluster import KubernetesCluster
from pytest_mlgates.adapters.kubernetes.deployment import Place
from pytest_mlgates.adapters.local.cluster import LocalCluster
from pytest_mlgates.ports import Cluster
from tests.cluster.containers import PYTHON, Containers
from tests.cluster.standin.server import StandIn

TINY = Path(__file__).with_name("tiny_pod.py")
RUN = f"mlgates-test-{uuid.uuid4().hex[:10]}"
LABEL = "mlgates.dev/test-run"
REPLICAS = 2


@dataclass
class Here:
    """A cluster to try. `open` gives another handle on the same workload; `standin` is the server behind it."""

    cluster: Cluster
    open: Callable[[], Cluster]
    patience: float
    standin: StandIn | None = None
    place: Place | None = None
    api: Api | None = None


@contextmanager
def local(folder: Path, *, lasting: bool = False) -> Iterator[Here]:
    def opened() -> LocalCluster:
        return LocalCluster(
            folder / "cluster",
            "staging",
            command=[sys.executable, "-S", "-E", str(TINY)],
            environment={"PATH": os.environ["PATH"], "TINY_LINGER": "0.1"},
            replicas=REPLICAS,
            lasting=lasting,
        )

    cluster = opened()
    try:
        yield Here(cluster, opened, 20)
    finally:
        cluster.remove()
        cluster.close()


@contextmanager
def standin(folder: Path, *, runtime: Containers | None = None) -> Iterator[Here]:
    server = StandIn(runtime)
    config = server.kubeconfig(folder / "kubeconfig.json")
    api = Api(str(config), "standin")
    try:
        python = sys.executable if runtime is None else str(PYTHON)
        manifest(api, "staging", command=[python, "-S", "-E", "-c", TINY.read_text()], image="none")
        place = Place("standin", "staging", "scorer", "model", kubeconfig=str(config))
        cluster = KubernetesCluster(place)
        yield Here(cluster, lambda: KubernetesCluster(place), 20, server, place, api)
        cluster.close()
    finally:
        api.close()
        server.close()


@contextmanager
def containers(folder: Path) -> Iterator[Here]:
    """The stand-in, with pods that are containers."""
    # A socket's path may have 107 signs, and podman makes some far below its folder.
    with tempfile.TemporaryDirectory(prefix="pods-") as short:
        runtime = Containers(Path(short))
        with standin(folder, runtime=runtime) as here:
            yield here
        assert runtime.left() == []


@contextmanager
def real(folder: Path) -> Iterator[Here]:
    config, context = os.environ["MLGATES_TEST_KUBECONFIG"], os.environ["MLGATES_TEST_CONTEXT"]
    image = os.environ.get("MLGATES_TEST_IMAGE", "python:3.11-slim")
    api = Api(config, context)
    namespace = f"{RUN}-{uuid.uuid4().hex[:6]}"
    try:
        manifest(api, namespace, command=["python", "-u", "-c", TINY.read_text()], image=image)
        place = Place(context, namespace, "scorer", "model", kubeconfig=config)
        cluster = KubernetesCluster(place)
        yield Here(cluster, lambda: KubernetesCluster(place), 180, None, place, api)
        cluster.close()
    finally:
        with contextlib.suppress(Refused):
            found = api.raw(api.core.read_namespace, namespace)
            if found["metadata"].get("labels", {}).get(LABEL) == RUN:
                api.raw(api.core.delete_namespace, namespace)
                gone_by(api, namespace, 120)
        api.close()


def gone_by(api: Api, namespace: str, within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            api.raw(api.core.read_namespace, namespace)
        except Refused as refusal:
            if refusal.status == 404:
                return
        time.sleep(0.5)


def manifest(api: Api, namespace: str, *, command: list[str], image: str) -> None:
    """Namespace, Deployment and Service, as a user would have them before anything is deployed by the gates."""
    labels = {LABEL: RUN}
    try:
        api.raw(api.core.create_namespace, {"metadata": {"name": namespace, "labels": labels}})
    except Refused as refusal:
        if refusal.reason != "AlreadyExists":
            raise
    container: dict[str, Any] = {
        "name": "model",
        "image": image,
        "command": command,
        "env": [
            {"name": "MODEL_URI", "value": "models:/tiny/0"},
            {"name": "RUN_ID", "value": "run-0"},
            {"name": "PORT", "value": "8080"},
            {"name": "TINY_LINGER", "value": "1"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": 8080}, "periodSeconds": 1},
    }
    pod: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 5}
    app = {"app": "scorer"}
    deployment = {
        "metadata": {"name": "scorer", "labels": labels},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": app},
            "template": {"metadata": {"labels": app}, "spec": pod},
        },
    }
    service = {
        "metadata": {"name": "scorer", "labels": labels},
        "spec": {"selector": app, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    api.raw(api.apps.create_namespaced_deployment, namespace, deployment)
    api.raw(api.core.create_namespaced_service, namespace, service)

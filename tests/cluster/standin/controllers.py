"""What brings a cluster to life: the deployment and ReplicaSet controllers, the service accounts' one, and a kubelet
that runs pods as real processes, each on a loopback address of its own."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import math
import os
import signal
import subprocess
import threading
import time
import urllib.request
from typing import Any

from tests.cluster.standin.store import Object, Refused, Store, now

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
#: Seconds by which the controllers lag behind what was written: observedGeneration is older for so long.
LAG = 0.05
_BACKOFF = 0.2


def bare(template: Object) -> Object:
    """A template as deployments compare it: without the hash."""
    template = copy.deepcopy(template)
    template.get("metadata", {}).get("labels", {}).pop(HASH, None)
    return template


def ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


class Controllers:
    """One thread that goes over everything after each change."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kubelet = Kubelet(store)
        self._ended = threading.Event()
        self._due: dict[str, tuple[int, float]] = {}
        self._progress: dict[str, tuple[Any, float]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.kubelet.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            before = self.store.version
            with self.store.changed:
                objects = list(self.store.objects)
            for resource, namespace, name in objects:
                with contextlib.suppress(Refused, KeyError):
                    getattr(self, f"_{resource}", lambda *_: None)(namespace, name)
            self.kubelet.look()
            with self.store.changed:
                if self.store.version == before:
                    self.store.changed.wait(0.02)

    def _namespaces(self, _: str, name: str) -> None:
        """The default service account comes a moment after its namespace."""
        if not self.store.list("serviceaccounts", name) and self._waited(f"namespace {name}", 0, 4 * LAG):
            self.store.create("serviceaccounts", name, {"metadata": {"name": "default"}})

    def _deployments(self, namespace: str, name: str) -> None:
        store = self.store
        deployment = store.get("deployments", namespace, name)
        meta, spec = deployment["metadata"], deployment["spec"]
        generation = meta["generation"]
        if deployment["status"].get("observedGeneration") != generation and not self._waited(
            meta["uid"], generation, LAG
        ):
            return
        owned = self._owned("replicasets", namespace, meta["uid"])
        current = self._current(namespace, deployment, owned)
        owned = self._owned("replicasets", namespace, meta["uid"])
        olds = [one for one in owned if one["metadata"]["name"] != current["metadata"]["name"]]
        self._scale(namespace, spec["replicas"], current, olds)
        self._say(namespace, name, generation, spec, meta["uid"])

    def _current(self, namespace: str, deployment: Object, owned: list[Object]) -> Object:
        """The ReplicaSet of the present template; one that is there already is used again, under a new revision."""
        store, meta, template = self.store, deployment["metadata"], deployment["spec"]["template"]
        highest = max((int(one["metadata"]["annotations"][REVISION]) for one in owned), default=0)
        same = [one for one in owned if bare(one["spec"]["template"]) == bare(template)]
        if same:
            current = same[0]
            if int(current["metadata"]["annotations"][REVISION]) < highest:
                highest += 1
                current["metadata"]["annotations"][REVISION] = str(highest)
                current = store.update("replicasets", namespace, current["metadata"]["name"], current)
        else:
            highest += 1
            digest = hashlib.sha1(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
            labelled = copy.deepcopy(template)
            labels = labelled.setdefault("metadata", {}).setdefault("labels", {})
            labels[HASH] = digest
            selector = {"matchLabels": {**deployment["spec"]["selector"]["matchLabels"], HASH: digest}}
            owner = {"kind": "Deployment", "name": meta["name"], "uid": meta["uid"], "controller": True}
            made = {
                "metadata": {
                    "name": f"{meta['name']}-{digest}",
                    "labels": labels,
                    "annotations": {REVISION: str(highest)},
                    "ownerReferences": [owner],
                },
                "spec": {"replicas": 0, "selector": selector, "template": labelled},
            }
            current = store.create("replicasets", namespace, made)
        wanted = current["metadata"]["annotations"][REVISION]
        if meta.get("annotations", {}).get(REVISION) != wanted:
            fresh = store.get("deployments", namespace, meta["name"])
            fresh["metadata"].setdefault("annotations", {})[REVISION] = wanted
            store.update("deployments", namespace, meta["name"], fresh)
        return current

    def _scale(self, namespace: str, replicas: int, current: Object, olds: list[Object]) -> None:
        """maxSurge 25 % rounded up, maxUnavailable 25 % rounded down."""
        surge, gap = math.ceil(replicas / 4), replicas // 4
        total = sum(one["spec"]["replicas"] for one in olds)
        room = replicas + surge - total
        if current["spec"]["replicas"] != replicas:
            self._to(namespace, current, min(replicas, max(current["spec"]["replicas"], room)))
        available = current["status"].get("availableReplicas", 0)
        available += sum(one["status"].get("availableReplicas", 0) for one in olds)
        spare = available - (replicas - gap)
        for old in olds:
            broken = old["spec"]["replicas"] - old["status"].get("availableReplicas", 0)
            fewer = min(old["spec"]["replicas"], max(0, spare) + broken)
            if fewer:
                self._to(namespace, old, old["spec"]["replicas"] - fewer)
                spare -= fewer - broken

    def _to(self, namespace: str, replica_set: Object, replicas: int) -> None:
        fresh = self.store.get("replicasets", namespace, replica_set["metadata"]["name"])
        fresh["spec"]["replicas"] = replicas
        self.store.update("replicasets", namespace, fresh["metadata"]["name"], fresh)

    def _say(self, namespace: str, name: str, generation: int, spec: Object, uid: str) -> None:
        owned = self._owned("replicasets", namespace, uid)
        if not owned:
            return
        current = max(owned, key=lambda one: int(one["metadata"]["annotations"][REVISION]))

        def total(field: str, some: list[Object]) -> int:
            return sum(one["status"].get(field, 0) for one in some)

        status: Object = {
            "observedGeneration": generation,
            "replicas": total("replicas", owned),
            "updatedReplicas": total("replicas", [current]),
            "readyReplicas": total("readyReplicas", owned),
            "availableReplicas": total("availableReplicas", owned),
        }
        figures = (generation, *status.values())
        since = self._progress.get(uid)
        if since is None or since[0] != figures:
            self._progress[uid] = since = (figures, time.monotonic())
        done = status["replicas"] == status["updatedReplicas"] == status["availableReplicas"] == spec["replicas"]
        late = time.monotonic() - since[1] > spec.get("progressDeadlineSeconds", 600)
        progressing = ("True", "NewReplicaSetAvailable") if done else ("True", "ReplicaSetUpdated")
        if late and not done:
            progressing = ("False", "ProgressDeadlineExceeded")
        failures = [c for one in owned for c in one["status"].get("conditions", []) if c["type"] == "ReplicaFailure"]
        status["conditions"] = [{"type": "Progressing", "status": progressing[0], "reason": progressing[1]}, *failures]
        deployment = self.store.get("deployments", namespace, name)
        if deployment["metadata"]["generation"] == generation:
            deployment["status"] = status
            self.store.update("deployments", namespace, name, deployment, status=True)

    def _replicasets(self, namespace: str, name: str) -> None:
        store = self.store
        one = store.get("replicasets", namespace, name)
        pods = self._owned("pods", namespace, one["metadata"]["uid"])
        live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        failure: list[Object] = []
        for _ in range(len(live), one["spec"]["replicas"]):
            owner = {"kind": "ReplicaSet", "name": name, "uid": one["metadata"]["uid"], "controller": True}
            template = copy.deepcopy(one["spec"]["template"])
            meta = {**template["metadata"], "generateName": f"{name}-", "ownerReferences": [owner]}
            try:
                admit(store, namespace)
                live.append(store.create("pods", namespace, {"metadata": meta, "spec": template["spec"]}))
            except Refused as refusal:
                failure = [
                    {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": str(refusal)}
                ]
                if one["status"].get("conditions") != failure:
                    event(store, namespace, "ReplicaSet", name, "FailedCreate", f"Error creating: {refusal}")
                break
        spare = sorted(live, key=ready)[: max(0, len(live) - one["spec"]["replicas"])]
        for pod in spare:
            store.delete("pods", namespace, pod["metadata"]["name"])
            live.remove(pod)
        up = sum(ready(pod) for pod in live)
        fresh = store.get("replicasets", namespace, name)
        fresh["status"] = {
            "replicas": len(live),
            "readyReplicas": up,
            "availableReplicas": up,
            "observedGeneration": fresh["metadata"]["generation"],
            "conditions": failure,
        }
        store.update("replicasets", namespace, name, fresh, status=True)

    def _owned(self, resource: str, namespace: str, uid: str) -> list[Object]:
        def mine(one: Object) -> bool:
            return any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", []))

        return self.store.list(resource, namespace, mine)

    def _waited(self, key: str, generation: int, seconds: float) -> bool:
        due = self._due.get(key)
        if due is None or due[0] != generation:
            self._due[key] = (generation, time.monotonic() + seconds)
            return False
        return time.monotonic() >= due[1]


def admit(store: Store, namespace: str) -> None:
    """What an API server asks of a new pod: a service account, and room in the quota."""
    if not store.list("serviceaccounts", namespace):
        raise Refused(
            403, "Forbidden", 'pods is forbidden: error looking up service account default: "default" not found'
        )
    for quota in store.list("resourcequotas", namespace):
        hard = int(quota["spec"]["hard"]["pods"])
        used = len(store.list("pods", namespace))
        if used >= hard:
            name = quota["metadata"]["name"]
            raise Refused(
                403,
                "Forbidden",
                f"pods is forbidden: exceeded quota: {name}, requested: pods=1, used: pods={used}, "
                f"limited: pods={hard}",
            )


def event(store: Store, namespace: str, kind: str, name: str, reason: str, message: str) -> None:
    store.create(
        "events",
        namespace,
        {
            "metadata": {"generateName": f"{name}."},
            "involvedObject": {"kind": kind, "name": name},
            "reason": reason,
            "message": message,
            "lastTimestamp": now(),
        },
    )


class Kubelet:
    """Pods as processes. The first container's command runs with its environment; its address is the pod's own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._again: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self.logs: dict[str, list[bytes]] = {}
        self._next = int.from_bytes(os.urandom(2)) * 200

    def look(self) -> None:
        with self._store.changed:
            pods = [(key, copy.deepcopy(one)) for key, one in self._store.objects.items() if key[0] == "pods"]
        for (_, namespace, name), pod in pods:
            with contextlib.suppress(Refused, KeyError):
                self._one(namespace, name, pod)

    def close(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _one(self, namespace: str, name: str, pod: Object) -> None:
        uid, container = pod["metadata"]["uid"], pod["spec"]["containers"][0]
        process = self._running.get(uid)
        if "deletionTimestamp" in pod["metadata"]:
            self._end(namespace, name, uid, process)
            return
        restarts = pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0)
        if process is None:
            if "invalid" in container["image"]:
                self._waiting(
                    namespace, name, pod, "ImagePullBackOff", f'Back-off pulling image "{container["image"]}"'
                )
            elif time.monotonic() >= self._again.get(uid, 0):
                self._start(namespace, name, pod, container)
        elif process.poll() is not None:
            del self._running[uid]
            self._again[uid] = time.monotonic() + _BACKOFF * 2**restarts
            self._read(uid, process)
            said = {"restartCount": restarts + 1}
            self._waiting(namespace, name, pod, "CrashLoopBackOff", "back-off restarting failed container", said)
        elif time.monotonic() - self._looked.get(uid, 0) > 0.05:
            self._looked[uid] = time.monotonic()
            self._condition(namespace, name, self._answers(pod, container))

    def _start(self, namespace: str, name: str, pod: Object, container: Object) -> None:
        uid = pod["metadata"]["uid"]
        address = pod["status"].get("podIP")
        if not address:
            self._next += 1
            address = f"127.{100 + self._next // 62500 % 100}.{self._next // 250 % 250}.{1 + self._next % 250}"
        environment = {"PATH": os.environ["PATH"]}
        for variable in container.get("env", []):
            field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            environment[variable["name"]] = address if field == "status.podIP" else variable.get("value", "")
        self._running[uid] = subprocess.Popen(
            [*container["command"], *container.get("args", [])],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.set_blocking(self._running[uid].stdout.fileno(), False)  # type: ignore[union-attr]
        fresh = self._store.get("pods", namespace, name)
        old = fresh["status"].get("containerStatuses", [{}])[0]
        fresh["status"] = {
            "phase": "Running",
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [
                {"name": container["name"], "restartCount": old.get("restartCount", 0), "state": {"running": {}}}
            ],
        }
        self._store.update("pods", namespace, name, fresh, status=True)

    def _waiting(
        self, namespace: str, name: str, pod: Object, reason: str, message: str, more: Object | None = None
    ) -> None:
        container = pod["spec"]["containers"][0]["name"]
        state = {"waiting": {"reason": reason, "message": message}}
        status = {"name": container, "restartCount": 0, "state": state, **(more or {})}
        if pod["status"].get("containerStatuses") == [status]:
            return
        fresh = self._store.get("pods", namespace, name)
        fresh["status"] |= {
            "phase": fresh["status"].get("phase", "Pending"),
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [status],
        }
        self._store.update("pods", namespace, name, fresh, status=True)
        event(self._store, namespace, "Pod", name, "BackOff", message)

    def _condition(self, namespace: str, name: str, up: bool) -> None:
        fresh = self._store.get("pods", namespace, name)
        fresh["status"]["conditions"] = [{"type": "Ready", "status": str(up)}]
        self._store.update("pods", namespace, name, fresh, status=True)

    def _answers(self, pod: Object, container: Object) -> bool:
        probe = container.get("readinessProbe", {}).get("httpGet")
        if probe is None:
            return True
        url = f"http://{pod['status']['podIP']}:{probe['port']}{probe['path']}"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self, namespace: str, name: str, uid: str, process: subprocess.Popen[bytes] | None) -> None:
        """SIGTERM once; the pod stays, phase Running and with its address, until the process has gone."""
        if process is not None and uid not in self.logs.get("terminated", []):
            self.logs.setdefault("terminated", []).append(uid)  # type: ignore[arg-type]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        if process is None or process.poll() is not None:
            self._running.pop(uid, None)
            self._store.forget(("pods", namespace, name))

    def log_of(self, uid: str) -> str:
        process = self._running.get(uid)
        if process is not None:
            self._read(uid, process)
        return b"".join(self.logs.get(uid, [])).decode(errors="replace")

    def _read(self, uid: str, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.logs.setdefault(uid, []).append(process.stdout.read() or b"")  # type: ignore[union-attr]

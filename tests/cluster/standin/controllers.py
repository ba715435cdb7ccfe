"""What brings a cluster to life: the controllers of deployments, ReplicaSets, service accounts and endpoints."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import math
import os
import threading
import time

from tests.cluster.standin.kubelet import Kubelet, Runtime, event, ready
from tests.cluster.standin.rules import admitted
from tests.cluster.standin.store import Object, Refused, Store, now

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
#: Seconds by which the controllers lag behind what was written: observedGeneration is older for so long.
LAG = 0.05
#: The only signs of generated names, so that no word comes of them.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def bare(template: Object) -> Object:
    """A template as deployments compare it: without the hash."""
    template = copy.deepcopy(template)
    template.get("metadata", {}).get("labels", {}).pop(HASH, None)
    return template


class Controllers:
    """One thread that goes over everything after each change."""

    def __init__(self, store: Store, runtime: Runtime | None = None) -> None:
        self.store = store
        self.kubelet = Kubelet(store, runtime)
        self._ended = threading.Event()
        self._due: dict[str, tuple[int, float]] = {}
        self._progress: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._routes: dict[tuple[str, str], list[tuple[list[str], float]]] = {}
        self.endpoints: dict[tuple[str, str], list[str]] = {}
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

    def _services(self, namespace: str, name: str) -> None:
        """Where a service's questions go: the pods that were ready a moment ago, so perhaps one that is leaving."""
        chosen = self.store.get("services", namespace, name)["spec"]["selector"]

        def meant(pod: Object) -> bool:
            labels = pod["metadata"].get("labels") or {}
            fits = all(labels.get(key) == value for key, value in chosen.items())
            return fits and ready(pod) and "deletionTimestamp" not in pod["metadata"]

        now = sorted(pod["status"]["podIP"] for pod in self.store.list("pods", namespace, meant))
        coming = self._routes.setdefault((namespace, name), [])
        if not coming or coming[-1][0] != now:
            coming.append((now, time.monotonic() + LAG))
        come = [addresses for addresses, due in coming if due <= time.monotonic()]
        if come:
            self.endpoints[namespace, name] = come[-1]
            del coming[: len(come) - 1]

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
        if not spec.get("paused"):
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
            digest = safe(hashlib.sha1(json.dumps(template, sort_keys=True).encode()).digest()[:9])
            labelled = copy.deepcopy(template)
            labels = labelled.setdefault("metadata", {}).setdefault("labels", {})
            labels[HASH] = digest
            selector = {"matchLabels": {**deployment["spec"]["selector"]["matchLabels"], HASH: digest}}
            owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"], "uid": meta["uid"]}
            owner |= {"controller": True, "blockOwnerDeletion": True}
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
            self._progress[meta["uid"]] = time.monotonic()
            self._fresh.add(meta["uid"])
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
        deployment = self.store.get("deployments", namespace, name)
        progressing = self._progressing(deployment, status)
        failures = [c for one in owned for c in one["status"].get("conditions", []) if c["type"] == "ReplicaFailure"]
        status["conditions"] = [*([progressing] if progressing else []), *failures]
        status = {key: value for key, value in status.items() if value}  # zeros are left out
        if deployment["metadata"]["generation"] == generation:
            deployment["status"] = status
            self.store.update("deployments", namespace, name, deployment, status=True)

    def _progressing(self, deployment: Object, counts: Object) -> Object | None:
        """That the controller has given up stays, also under a new generation, until there is progress again."""
        uid, spec, before = deployment["metadata"]["uid"], deployment["spec"], deployment["status"]
        known = next((one for one in before.get("conditions", []) if one["type"] == "Progressing"), None)
        if uid in self._fresh:
            self._fresh.discard(uid)
            known = _condition("True", "NewReplicaSetCreated", "")
        more = any(
            counts[key] > before.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
        )
        old, older = (one.get("replicas", 0) - one.get("updatedReplicas", 0) for one in (counts, before))
        if counts["replicas"] == counts["updatedReplicas"] == counts["availableReplicas"] == spec["replicas"]:
            return _same(known, _condition("True", "NewReplicaSetAvailable", ""))
        if more or old < older:
            self._progress[uid] = time.monotonic()
            return _same(known, _condition("True", "ReplicaSetUpdated", ""))
        late = time.monotonic() - self._progress.get(uid, math.inf) > spec["progressDeadlineSeconds"]
        if late and known and known["reason"] not in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
            return _condition("False", "ProgressDeadlineExceeded", "it has timed out progressing.")
        return known

    def _replicasets(self, namespace: str, name: str) -> None:
        store = self.store
        one = store.get("replicasets", namespace, name)
        pods = self._owned("pods", namespace, one["metadata"]["uid"])
        live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        failure: list[Object] = []
        for _ in range(len(live), one["spec"]["replicas"]):
            owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": one["metadata"]["uid"]}
            owner |= {"controller": True, "blockOwnerDeletion": True}
            template = copy.deepcopy(one["spec"]["template"])
            meta = {**template["metadata"], "generateName": f"{name}-", "ownerReferences": [owner]}
            meta["name"] = f"{name}-{safe(os.urandom(5))}"
            try:
                admit(store, namespace)
                live.append(store.create("pods", namespace, {"metadata": meta, "spec": admitted(template["spec"])}))
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


def _condition(status: str, reason: str, message: str) -> Object:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message, "lastUpdateTime": now()}


def _same(known: Object | None, new: Object) -> Object:
    return known if known and known["reason"] == new["reason"] else new


def safe(some: bytes) -> str:
    return "".join(_SAFE[byte % len(_SAFE)] for byte in some)


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

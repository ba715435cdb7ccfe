"""A Deployment in Kubernetes, moved and put back through the official client."""

from __future__ import annotations

import contextlib
import time
from functools import cached_property
from typing import Any

from pytest_mlgates.adapters import kubernetes_state as state
from pytest_mlgates.adapters.kubernetes_api import Object, Refused
from pytest_mlgates.adapters.kubernetes_deployment import Deployed, Place
from pytest_mlgates.adapters.kubernetes_relay import Relay
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.ports import Pod, Release, Revision

#: Restarts of one pod that are called a crash loop.
CRASHES = 3
#: Seconds of one watch, after which pods in trouble are looked for.
_SPELL = 2.0
_EVENTS = 4


class KubernetesCluster:
    """The Deployment at `place`, whose container takes MODEL_URI and RUN_ID from its environment."""

    def __init__(self, place: Place) -> None:
        self._work = Deployed(place)
        self._place, self._api = place, self._work.api
        self._told: Release | None = None

    @cached_property
    def name(self) -> str:
        place = self._place
        version = self._work.asked("ask for its version", lambda: self._api.server())
        return f"Kubernetes {version} ({place.context}: {place.namespace}/{place.deployment})"

    def release(self) -> Release | None:
        return self._release(self._work.read())

    def deploy(self, release: Release, mark: str = "") -> None:
        container = self._place.container

        def patch(deployment: Object) -> Object | None:
            template = deployment["spec"]["template"]
            labels = template["metadata"].get("labels") or {}
            if self._release(deployment) == release and labels.get(state.MARK, "") == mark:
                return None
            env = [
                {"name": state.MODEL_URI, "value": release.model_uri, "valueFrom": None},
                {"name": state.RUN_ID, "value": release.run_id, "valueFrom": None},
            ]
            spec = {"containers": [{"name": container, "env": env}]}
            told = {"metadata": {"labels": {state.MARK: mark or None}}, "spec": spec}
            version = deployment["metadata"]["resourceVersion"]
            # A dictionary goes out as a strategic merge: containers and variables are joined by name.
            return {"metadata": {"resourceVersion": version}, "spec": {"template": told}}

        self._work.change(f"deploy {release}", patch)
        self._told = release

    def undo(self, to: int = 0) -> Release:
        target = self._target(to)
        template = state.template_to_go_back_to(target)
        release = state.release_of(template, self._place.container)
        if release is None:
            raise ActionFailed(
                f"revision {state.number_of(target)} of {self._work.title} says no {state.MODEL_URI}: not gone back to"
            )

        def patch(deployment: Object) -> list[Object] | None:
            if deployment["spec"]["template"] == template:
                return None
            version = deployment["metadata"]["resourceVersion"]
            # A list goes out as a JSON patch: the whole template is replaced, if nobody changed it meanwhile.
            return [
                {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                {"op": "replace", "path": "/spec/template", "value": template},
            ]

        self._work.change(f"go back to revision {state.number_of(target)}", patch)
        self._told = release
        return release

    def settle(self, within: float) -> float:
        start = time.monotonic()
        deadline = start + within
        while True:
            deployment = self._work.read()
            since = deployment["metadata"]["resourceVersion"]
            if self._settled(deployment):
                return time.monotonic() - start
            left = deadline - time.monotonic()
            if left <= 0:
                self._fail(f"not finished within {within:g} s", deployment)
            for changed in self._api.watch(
                self._api.apps.list_namespaced_deployment,
                self._place.namespace,
                field_selector=f"metadata.name={self._place.deployment}",
                since=since,
                seconds=min(left, _SPELL),
            ):
                if self._settled(changed):
                    return time.monotonic() - start
            looping = [pod for pod in self._work.pods() if state.pod_of(pod, self._place.container).restarts >= CRASHES]
            looping = [pod for pod in looping if not state.ready(pod)]
            if looping:
                self._fail(f"{looping[0]['metadata']['name']} is in a crash loop", deployment)

    def pods(self) -> tuple[Pod, ...]:
        return tuple(state.pod_of(pod, self._place.container) for pod in self._work.pods())

    def revisions(self) -> tuple[Revision, ...]:
        return state.revisions(self._work.replica_sets(), self._place.container)

    def kill(self, pod: Pod, within: float) -> float:
        """Watched from before the pod is ended: it may be replaced faster than anybody could poll."""
        deployment = self._work.read()
        listed = self._work.listed_pods(deployment)
        present = {one["metadata"]["uid"]: one for one in listed["items"] if state.live(one)}
        wanted = sum(state.ready(one) for one in present.values())
        start = time.monotonic()
        models = self._api.models
        precondition = models.V1DeleteOptions(preconditions=models.V1Preconditions(uid=pod.uid))
        self._work.acted(
            f"end {pod.name}",
            lambda: self._api.raw(
                self._api.core.delete_namespaced_pod, pod.name, self._place.namespace, body=precondition
            ),
        )
        since = listed["metadata"]["resourceVersion"]
        while (left := start + within - time.monotonic()) > 0:
            for one in self._api.watch(
                self._api.core.list_namespaced_pod,
                self._place.namespace,
                label_selector=state.selector(deployment),
                since=since,
                seconds=min(left, _SPELL),
            ):
                uid = one["metadata"]["uid"]
                if one["event"] == "DELETED" or not state.live(one):
                    present.pop(uid, None)
                else:
                    present[uid] = one
                if pod.uid not in present and sum(state.ready(p) for p in present.values()) >= wanted:
                    return time.monotonic() - start
            listed = self._work.listed_pods(deployment)
            since = listed["metadata"]["resourceVersion"]
            present = {one["metadata"]["uid"]: one for one in listed["items"] if state.live(one)}
            if pod.uid not in present and sum(state.ready(p) for p in present.values()) >= wanted:
                return time.monotonic() - start
        raise CouldNotEvaluate(
            f"{pod.name} was ended and not replaced within {within:g} s on {self.name}{self._words()}"
        )

    def events(self) -> tuple[str, ...]:
        told = self._work.asked(
            "read events",
            lambda: self._api.raw(self._api.core.list_namespaced_event, self._place.namespace),
        )
        mine = [one for one in told["items"] if self._is_ours(one.get("involvedObject", {}).get("name", ""))]
        return tuple(sorted(state.happening(one) for one in mine))

    def logs(self, pod: Pod) -> str:
        def read(previous: bool) -> str:
            return str(
                self._api.raw(
                    self._api.core.read_namespaced_pod_log,
                    pod.name,
                    self._place.namespace,
                    container=self._place.container,
                    tail_lines=20,
                    previous=previous,
                )
            )

        def either() -> str:
            try:
                return read(False) or read(True)
            except Refused:
                return read(True)

        return str(self._work.asked(f"read the log of {pod.name}", either))

    def url(self, pod: Pod | None = None) -> str:
        place = self._place
        if pod is None and place.url:
            return place.url.rstrip("/")
        if place.reach == "direct":
            return (
                f"http://{pod.address}:{place.port}"
                if pod
                else f"http://{place.service or place.deployment}.{place.namespace}:{place.service_port}"
            )
        return self._relay.pod(pod.name) if pod else self._relay.service()

    def note(self) -> str:
        return _note(self._work.read())

    def leave(self, note: str, *, instead_of: str) -> bool:
        class Other(Exception):
            pass

        def patch(deployment: Object) -> Object | None:
            if _note(deployment) != instead_of:
                raise Other
            version = deployment["metadata"]["resourceVersion"]
            return {"metadata": {"resourceVersion": version, "annotations": {state.NOTE: note or None}}}

        try:
            self._work.change("leave a note", patch)
        except Other:
            return False
        return True

    def clean(self, mark: str) -> tuple[str, ...]:
        removed = []
        present = max((state.number_of(one) for one in self._work.replica_sets()), default=0)
        for one in self._work.replica_sets(f"{state.MARK}={mark}"):
            if state.number_of(one) == present:
                continue
            name = one["metadata"]["name"]
            self._work.acted(f"remove ReplicaSet {name}", lambda name=name: self._delete_replica_set(name))  # type: ignore[misc]
            removed.append(f"ReplicaSet {name}")
        return tuple(removed)

    def remove(self) -> None:
        """The Deployment is the user's own."""

    def close(self) -> None:
        if "_relay" in self.__dict__:
            self._relay.close()
        self._api.close()

    @cached_property
    def _relay(self) -> Relay:
        place = self._place
        service = place.service or place.deployment
        return Relay(self._api, place.namespace, service, place.service_port, place.port)

    def _release(self, deployment: Object) -> Release | None:
        return state.release_of(deployment["spec"]["template"], self._place.container)

    def _settled(self, deployment: Object) -> bool:
        """Raises CouldNotEvaluate when it never will be."""
        now = self._release(deployment)
        if self._told is not None and now != self._told:
            raise CouldNotEvaluate(
                f"somebody else changed {self._work.title} during the rollout: it is told to serve {now} now, not "
                f"{self._told}"
            )
        why = state.gave_up(deployment)
        if why and deployment["status"].get("observedGeneration", 0) >= deployment["metadata"]["generation"]:
            self._fail(why, deployment)
        return state.rolled_out(deployment)

    def _target(self, to: int) -> Object:
        found = sorted(self._work.replica_sets(), key=state.number_of)
        numbers = [state.number_of(one) for one in found]
        chosen = [one for one in found if state.number_of(one) == to] if to else found[-2:-1]
        if not chosen:
            wanted = f"revision {to}" if to else "revision before the present one"
            raise ActionFailed(f"{self._work.title} has no {wanted}; it has: {', '.join(map(str, numbers)) or 'none'}")
        return chosen[0]

    def _delete_replica_set(self, name: str) -> Any:
        try:
            return self._api.raw(
                self._api.apps.delete_namespaced_replica_set,
                name,
                self._place.namespace,
                propagation_policy="Background",
            )
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def _is_ours(self, name: str) -> bool:
        return name == self._place.deployment or name.startswith(f"{self._place.deployment}-")

    def _fail(self, why: str, deployment: Object) -> None:
        held = state.hindrance(deployment)
        raise CouldNotEvaluate(f"the rollout of {self._work.title}: {why}{f' ({held})' if held else ''}{self._words()}")

    def _words(self) -> str:
        """What the pods that are not ready wait for, the last events, and last words; whatever can be had of it."""
        said = []
        try:
            for pod in self._work.pods():
                if state.ready(pod):
                    continue
                name = pod["metadata"]["name"]
                if state.waiting(pod):
                    said.append(f"{name} waits: {state.waiting(pod)}")
                words = self.logs(state.pod_of(pod, self._place.container)).strip().splitlines()[-1:]
                said += [f"last words of {name}: {words[0][:300]}"] if words else []
                break
        except CouldNotEvaluate:
            pass
        with contextlib.suppress(CouldNotEvaluate):
            last = self.events()[-_EVENTS:]
            said += [f"last events: {' | '.join(last)}"] if last else []
        return "".join(f"; {one}" for one in said)


def _note(deployment: Object) -> str:
    return str((deployment["metadata"].get("annotations") or {}).get(state.NOTE, ""))

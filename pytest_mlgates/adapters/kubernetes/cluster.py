"""A Deployment in Kubernetes, moved and put back through the official client."""

from __future__ import annotations

from functools import cached_property

from pytest_mlgates.adapters.kubernetes import state as state
from pytest_mlgates.adapters.kubernetes.api import Object, Refused
from pytest_mlgates.adapters.kubernetes.deployment import ATTEMPTS, Deployed, Place
from pytest_mlgates.adapters.kubernetes.relay import Relay
from pytest_mlgates.adapters.kubernetes.waiting import Rollout, end
from pytest_mlgates.adapters.kubernetes.words import Words
from pytest_mlgates.errors import ActionFailed
from pytest_mlgates.ports import Pod, Release, Revision


class KubernetesCluster:
    """The Deployment at `place`, whose container takes MODEL_URI and RUN_ID from its environment."""

    def __init__(self, place: Place) -> None:
        self._work = Deployed(place)
        self._place, self._api = place, self._work.api
        self._words = Words(self._work)
        self._told: Release | None = None
        self._stale: Object = {}

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
            self._stale = state.gave_up(deployment)
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
        template = state.bare(target["spec"]["template"])
        release = state.release_of(template, self._place.container)
        if release is None:
            raise ActionFailed(
                f"revision {state.number_of(target)} of {self._work.title} says no {state.MODEL_URI}: not gone back to"
            )

        def patch(deployment: Object) -> list[Object] | None:
            self._stale = state.gave_up(deployment)
            if state.bare(deployment["spec"]["template"]) == template:
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
        return Rollout(self._work, self._words, self._told, self._stale).wait(within)

    def pods(self) -> tuple[Pod, ...]:
        return tuple(state.pod_of(pod, self._place.container) for pod in self._work.pods())

    def revisions(self) -> tuple[Revision, ...]:
        return state.revisions(self._work.replica_sets(self._work.read()), self._place.container)

    def kill(self, pod: Pod, within: float) -> float:
        return end(self._work, self._words, pod, within)

    def events(self) -> tuple[str, ...]:
        return self._words.events()

    def logs(self, pod: Pod) -> str:
        return self._words.logs(pod)

    def url(self, pod: Pod | None = None) -> str:
        place = self._place
        if pod is None and place.url:
            return place.url.rstrip("/")
        if place.reach == "direct":
            host = f"[{pod.address}]" if pod and ":" in pod.address else pod.address if pod else ""
            service = f"{place.service or place.deployment}.{place.namespace}"
            return f"http://{host}:{place.port}" if pod else f"http://{service}:{place.service_port}"
        return self._relay.pod(pod.name) if pod else self._relay.service()

    def note(self) -> str:
        return _note(self._work.read())

    def leave(self, note: str, *, instead_of: str) -> bool:
        class Other(Exception):
            pass

        tried = False

        def patch(deployment: Object) -> Object | None:
            nonlocal tried
            found = _note(deployment)
            if tried and found == note:
                return None  # it was left, and only the answer was lost
            if found != instead_of:
                raise Other
            tried = True
            version = deployment["metadata"]["resourceVersion"]
            return {"metadata": {"resourceVersion": version, "annotations": {state.NOTE: note or None}}}

        try:
            self._work.change("leave a note", patch)
        except Other:
            return False
        return True

    def clean(self, mark: str) -> tuple[str, ...]:
        removed: list[str] = []
        for _ in range(ATTEMPTS):
            deployment = self._work.read()
            now = state.present(deployment, self._work.replica_sets(deployment))
            marked = self._work.replica_sets(deployment, f"{state.MARK}={mark}")
            left = [one for one in marked if now is None or one["metadata"]["uid"] != now["metadata"]["uid"]]
            gone = [one["metadata"]["name"] for one in left if self._is_removed(one)]
            removed += [f"ReplicaSet {name}" for name in gone]
            if len(gone) == len(left):
                break
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

    def _target(self, to: int) -> Object:
        """The ReplicaSet of revision `to`; of the highest below the present one for 0."""
        deployment = self._work.read()
        found = sorted(self._work.replica_sets(deployment), key=state.number_of)
        now = state.present(deployment, found)
        # What was told a moment ago may have no ReplicaSet yet: then the highest is the one before it.
        others = [one for one in found if now is None or state.number_of(one) < state.number_of(now)]
        chosen = [one for one in found if state.number_of(one) == to] if to else others[-1:]
        if not chosen:
            wanted = f"revision {to}" if to else "revision before the present one"
            numbers = ", ".join(str(state.number_of(one)) for one in found) or "none"
            raise ActionFailed(f"{self._work.title} has no {wanted}; it has: {numbers}")
        return chosen[0]

    def _is_removed(self, replica_set: Object) -> bool:
        """False when it was changed since it was read: perhaps it serves again."""
        name, models = replica_set["metadata"]["name"], self._api.models
        only = models.V1Preconditions(
            uid=replica_set["metadata"]["uid"], resource_version=replica_set["metadata"]["resourceVersion"]
        )
        body = models.V1DeleteOptions(preconditions=only, propagation_policy="Background")

        def delete() -> bool:
            try:
                self._api.raw(self._api.apps.delete_namespaced_replica_set, name, self._place.namespace, body=body)
            except Refused as refusal:
                if refusal.status not in (404, 409):
                    raise
                return refusal.status == 404
            return True

        return bool(self._work.acted(f"remove ReplicaSet {name}", delete))


def _note(deployment: Object) -> str:
    return str((deployment["metadata"].get("annotations") or {}).get(state.NOTE, ""))

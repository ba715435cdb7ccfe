"""One Deployment as its API server has it: read, listed with what belongs to it, and patched as it was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pytest_mlgates.adapters import kubernetes_state as state
from pytest_mlgates.adapters.kubernetes_api import Api, Object, Refused
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate

#: Edits by somebody else that leave the template alone (a status, a label) are met by trying again, so often.
ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where the workload is. `reach` is how pods are asked from here: through the API server's proxies, or directly
    at their addresses and the service's name, as from a pod of the same cluster. `url` overrides the service's."""

    context: str
    namespace: str
    deployment: str
    container: str
    kubeconfig: str = ""
    service: str = ""
    port: int = 8080
    service_port: int = 80
    url: str = ""
    reach: Literal["proxy", "direct"] = "proxy"


class Deployed:
    """The Deployment at `place`. Reading raises CouldNotEvaluate, changing ActionFailed, each with one sentence."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.api = Api(place.kubeconfig, place.context)

    @property
    def title(self) -> str:
        return f"the Deployment {self.place.namespace}/{self.place.deployment}"

    def read(self) -> Object:
        place = self.place
        try:
            found: Object = self.api.raw(self.api.apps.read_namespaced_deployment, place.deployment, place.namespace)
        except Refused as refusal:
            if refusal.status == 404:
                raise CouldNotEvaluate(self._missing()) from None
            raise CouldNotEvaluate(self._sentence("read the Deployment", refusal)) from None
        known = state.containers(found)
        if place.container not in known:
            raise CouldNotEvaluate(
                f"{self.title} has no container {place.container!r}: it has {', '.join(known)}; write the right "
                "one as container in [tool.mlgates.cluster]"
            )
        return found

    def _missing(self) -> str:
        place = self.place
        try:
            self.api.raw(self.api.core.read_namespace, place.namespace)
        except Refused as refusal:
            if refusal.status == 404:
                return (
                    f"there is no namespace {place.namespace!r} in context {place.context!r}: create it, or write "
                    "another namespace in [tool.mlgates.cluster]"
                )
        return (
            f"there is no Deployment {place.deployment!r} in namespace {place.namespace!r} of context "
            f"{place.context!r}: apply it first (ci/kubernetes has one)"
        )

    def replica_sets(self, labels: str = "") -> list[Object]:
        deployment = self.read()
        chosen = ",".join(filter(None, [state.selector(deployment), labels]))
        told = self.asked(
            "list ReplicaSets",
            lambda: self.api.raw(
                self.api.apps.list_namespaced_replica_set, self.place.namespace, label_selector=chosen
            ),
        )
        return [one for one in told["items"] if state.owned_by(one, deployment["metadata"]["uid"])]

    def listed_pods(self, deployment: Object) -> Object:
        listed: Object = self.asked(
            "list pods",
            lambda: self.api.raw(
                self.api.core.list_namespaced_pod, self.place.namespace, label_selector=state.selector(deployment)
            ),
        )
        return listed

    def pods(self) -> list[Object]:
        deployment = self.read()
        mine = {one["metadata"]["uid"] for one in self.replica_sets()}
        items = self.listed_pods(deployment)["items"]
        return [pod for pod in items if state.live(pod) and any(state.owned_by(pod, uid) for uid in mine)]

    def change(self, what: str, patch: Callable[[Object], Any]) -> None:
        """Patch the Deployment as it was read. A change by somebody else meanwhile is met by reading again, unless it
        was the template: then two want different things, and a person must say which."""
        place, template = self.place, None
        refusal: Refused | None = None
        for _ in range(ATTEMPTS):
            deployment = self.read()
            if template not in (None, deployment["spec"]["template"]):
                raise ActionFailed(
                    f"cannot {what}: somebody else changes {self.title} at the same time (409 Conflict); find out "
                    "who (another pipeline, a GitOps controller), then run again"
                )
            template = deployment["spec"]["template"]
            body = patch(deployment)
            if body is None:
                return
            try:
                self.api.raw(self.api.apps.patch_namespaced_deployment, place.deployment, place.namespace, body)
                return
            except Refused as refused:
                if refused.status not in (409, 422) or refused.reason == "AlreadyExists":
                    raise ActionFailed(self._sentence(what, refused)) from None
                refusal = refused
        assert refusal is not None
        raise ActionFailed(self._sentence(what, refusal))

    def asked(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Refused as refusal:
            raise CouldNotEvaluate(self._sentence(what, refusal)) from None

    def acted(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Refused as refusal:
            raise ActionFailed(self._sentence(what, refusal)) from None

    def _sentence(self, what: str, refusal: Refused) -> str:
        fix = "; give the role that right (ci/kubernetes has one)" if refusal.status == 403 else ""
        return f"cannot {what} of {self.title}: {refusal.status} {refusal.reason}: {refusal}{fix}"

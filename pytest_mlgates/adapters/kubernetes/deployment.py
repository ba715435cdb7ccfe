"""One Deployment as its API server has it: read, listed with what belongs to it, and patched as it was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytest_mlgates.adapters.kubernetes import state as state
from pytest_mlgates.adapters.kubernetes.api import Api, Object, Refused
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, MlgatesError, Unreachable

#: Edits by somebody else that leave the template alone (a status, a label) are met by trying again, so often.
ATTEMPTS = 8
#: Seconds that a watch takes at least.
_SHORT = 0.2


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
    """The Deployment at `place`. Reading raises CouldNotEvaluate, changing ActionFailed, each with one sentence; both
    raise Unreachable when nobody answers."""

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

    def replica_sets(self, deployment: Object, labels: str = "") -> list[Object]:
        """Those that belong to `deployment`, as it was read."""
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

    def pods(self, *, newest: bool = False) -> list[Object]:
        """The live pods; with `newest` only those of what the deployment is told to be now."""
        deployment = self.read()
        sets = self.replica_sets(deployment)
        if newest:
            now = state.present(deployment, sets)
            sets = [now] if now else []
        mine = {one["metadata"]["uid"] for one in sets}
        items = self.listed_pods(deployment)["items"]
        return [pod for pod in items if state.live(pod) and any(state.owned_by(pod, uid) for uid in mine)]

    def watched(
        self, what: str, call: Callable[..., Any], since: str, seconds: float, **words: Any
    ) -> Iterator[Object]:
        """Each object as it changes; ends after `seconds`, or when everything must be listed again."""
        begun = time.monotonic()
        try:
            yield from self.api.watch(call, self.place.namespace, since=since, seconds=seconds, **words)
        except Unreachable:
            pass  # also a cache of the server that is behind: the next reading shows which
        except Refused as refusal:
            if refusal.status != 410:
                raise CouldNotEvaluate(self._sentence(what, refusal)) from None
        if time.monotonic() - begun < _SHORT:  # a watch that ends at once must not become a storm of readings
            time.sleep(_SHORT)

    def change(self, what: str, patch: Callable[[Object], Any]) -> None:
        """Patch the Deployment as it was read; `patch` gives None when there is nothing (more) to do.

        A change by somebody else meanwhile is met by reading again, unless it was the template: then two want
        different things, and a person must say which. So is an answer that was lost on the way: every patch holds
        only for the version that was read, so that none is made twice. Raises ActionFailed.
        """
        place, template = self.place, None
        trouble: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                deployment = self.read()
            except CouldNotEvaluate as problem:
                raise _kept(problem, f"cannot {what}: {problem}") from None
            body = patch(deployment)
            if body is None:
                return
            if template not in (None, deployment["spec"]["template"]):
                raise ActionFailed(
                    f"cannot {what}: somebody else changes {self.title} at the same time (409 Conflict); find out "
                    "who (another pipeline, a GitOps controller), then run again"
                )
            template = deployment["spec"]["template"]
            try:
                self.api.raw(self.api.apps.patch_namespaced_deployment, place.deployment, place.namespace, body)
                return
            except Unreachable as problem:
                trouble = problem
            except CouldNotEvaluate as problem:
                raise ActionFailed(f"cannot {what}: {problem}") from None
            except Refused as refused:
                if refused.status not in (409, 422) or refused.reason == "AlreadyExists":
                    raise ActionFailed(self._sentence(what, refused)) from None
                trouble = refused
        assert trouble is not None
        said = self._sentence(what, trouble) if isinstance(trouble, Refused) else f"cannot {what}: {trouble}"
        raise _kept(trouble, said)

    def asked(self, what: str, call: Callable[[], Any]) -> Any:
        """Raises CouldNotEvaluate when it is refused."""
        try:
            return call()
        except Refused as refusal:
            raise CouldNotEvaluate(self._sentence(what, refusal)) from None

    def acted(self, what: str, call: Callable[[], Any]) -> Any:
        """Raises ActionFailed when it is refused."""
        try:
            return call()
        except Refused as refusal:
            raise ActionFailed(self._sentence(what, refusal)) from None
        except CouldNotEvaluate as problem:
            raise _kept(problem, f"cannot {what}: {problem}") from None

    def _sentence(self, what: str, refusal: Refused) -> str:
        # An admission webhook refuses with 403 too, and no right helps against that.
        fix = refusal.status == 403 and " cannot " in str(refusal)
        role = "; give the role that right (ci/kubernetes has one)" if fix else ""
        return f"cannot {what} of {self.title}: {refusal.status} {refusal.reason}: {refusal}{role}"


def _kept(problem: Exception, said: str) -> MlgatesError:
    """Who does not answer has refused nothing: that stays apart."""
    return Unreachable(said) if isinstance(problem, Unreachable) else ActionFailed(said)

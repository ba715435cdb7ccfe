"""Waiting for a Deployment: until it is what it is told to be, and until a pod that was ended is replaced.

Watched and not polled: a killed pod may be replaced within the time between two looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NoReturn

from pytest_mlgates.adapters.kubernetes import state as state
from pytest_mlgates.adapters.kubernetes.api import Object
from pytest_mlgates.adapters.kubernetes.deployment import Deployed
from pytest_mlgates.adapters.kubernetes.words import Words
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Pod, Release

#: Restarts of one pod that are called a crash loop.
CRASHES = 3
#: Seconds of one watch, after which pods in trouble are looked for.
_SPELL = 2.0


class Rollout:
    """One rollout of `told` (None: of whatever it is told to be). `stale` is the condition in which the controller had
    given up before that: it stays on the Deployment for a while, and says nothing of this rollout."""

    def __init__(self, work: Deployed, words: Words, told: Release | None, stale: Object) -> None:
        self._work, self._words, self._told, self._stale = work, words, told, stale

    def wait(self, within: float) -> float:
        """How many seconds it took. Raises CouldNotEvaluate with what stands in the way."""
        start = time.monotonic()
        while True:
            deployment = self._work.read()
            if self._is_done(deployment):
                return time.monotonic() - start
            left = start + within - time.monotonic()
            if left <= 0:
                self._fail(f"not finished within {within:g} s", deployment)
            for changed in self._work.watched(
                "watch Deployments",
                self._work.api.apps.list_namespaced_deployment,
                deployment["metadata"]["resourceVersion"],
                min(left, _SPELL),
                field_selector=f"metadata.name={self._work.place.deployment}",
            ):
                if changed["event"] == "DELETED":
                    break
                if self._is_done(changed):
                    return time.monotonic() - start
            for pod in self._work.pods(newest=True):
                if state.crashing(pod, CRASHES):
                    self._fail(f"{pod['metadata']['name']} is in a crash loop", deployment)

    def _is_done(self, deployment: Object) -> bool:
        """Raises CouldNotEvaluate when it never will be."""
        now = state.release_of(deployment["spec"]["template"], self._work.place.container)
        if self._told is not None and now != self._told:
            raise CouldNotEvaluate(
                f"somebody else changed {self._work.title} during the rollout: it is told to serve {now} now, not "
                f"{self._told}"
            )
        given_up = state.gave_up(deployment)
        seen = deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        if given_up and seen and given_up != self._stale:
            self._fail(f"ProgressDeadlineExceeded {given_up.get('message', '')}".strip(), deployment)
        return state.rolled_out(deployment)

    def _fail(self, why: str, deployment: Object) -> NoReturn:
        raise CouldNotEvaluate(f"the rollout of {self._work.title}: {why}{self._words.why(deployment)}")


def end(work: Deployed, words: Words, pod: Pod, within: float) -> float:
    """End `pod` and wait until as many are ready as before without it; how many seconds that took."""
    deployment = work.read()
    listed = work.listed_pods(deployment)
    wanted = _ready_in(listed["items"])
    start = time.monotonic()
    models = work.api.models
    # By its uid: another pod may have its name by now.
    body = models.V1DeleteOptions(preconditions=models.V1Preconditions(uid=pod.uid))
    core, namespace = work.api.core, work.place.namespace
    work.acted(f"end {pod.name}", lambda: work.api.raw(core.delete_namespaced_pod, pod.name, namespace, body=body))
    while True:
        # The first round begins with what was there before the pod was ended.
        present = {one["metadata"]["uid"]: one for one in listed["items"] if state.live(one)}
        since = listed["metadata"]["resourceVersion"]
        left = start + within - time.monotonic()
        if left <= 0:
            raise CouldNotEvaluate(
                f"{pod.name} was ended and not replaced within {within:g} s on {work.title}{words.why(deployment)}"
            )
        if pod.uid not in present and _ready_in(present.values()) >= wanted:
            return time.monotonic() - start
        for one in work.watched(
            "watch pods", core.list_namespaced_pod, since, min(left, _SPELL), label_selector=state.selector(deployment)
        ):
            uid = one["metadata"]["uid"]
            if one["event"] == "DELETED" or not state.live(one):
                present.pop(uid, None)
            else:
                present[uid] = one
            if pod.uid not in present and _ready_in(present.values()) >= wanted:
                return time.monotonic() - start
        listed = work.listed_pods(deployment)


def _ready_in(pods: Iterable[Object]) -> int:
    return sum(state.ready(one) for one in pods if state.live(one))

"""What Kubernetes and the pods themselves say of a Deployment: events, logs, and why it does not go on."""

from __future__ import annotations

import contextlib

from pytest_mlgates.adapters.kubernetes import state as state
from pytest_mlgates.adapters.kubernetes.api import Object, Refused
from pytest_mlgates.adapters.kubernetes.deployment import Deployed
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Pod

_LINES = 20
_EVENTS = 4


class Words:
    """Everything raises CouldNotEvaluate, but `why`, which says whatever can be had."""

    def __init__(self, work: Deployed) -> None:
        self._work, self._place, self._api = work, work.place, work.api

    def events(self) -> tuple[str, ...]:
        told = self._work.asked(
            "read events",
            lambda: self._api.raw(self._api.core.list_namespaced_event, self._place.namespace),
        )
        name = self._place.deployment
        mine = [one for one in told["items"] if state.concerns(one.get("involvedObject", {}).get("name", ""), name)]
        return tuple(sorted(state.happening(one) for one in mine))

    def logs(self, pod: Pod) -> str:
        """ "" of a container that has not written anything yet, or waits to start."""
        return self._log(pod, previous=False) or (self._log(pod, previous=True) if pod.restarts else "")

    def why(self, deployment: Object) -> str:
        """What hinders pods from being made, what one that is not ready waits for, last events, and last words."""
        held, said = state.hindrance(deployment), []
        with contextlib.suppress(CouldNotEvaluate):
            for pod in self._work.pods(newest=True):
                if not state.ready(pod):
                    said += self._of(pod)
                    break
        with contextlib.suppress(CouldNotEvaluate):
            last = self.events()[-_EVENTS:]
            said += [f"last events: {' | '.join(last)}"] if last else []
        return (f" ({held})" if held else "") + "".join(f"; {one}" for one in said)

    def _of(self, pod: Object) -> list[str]:
        name, said = pod["metadata"]["name"], []
        if state.waiting(pod):
            said.append(f"{name} waits: {state.waiting(pod)}")
        with contextlib.suppress(CouldNotEvaluate):
            words = self.logs(state.pod_of(pod, self._place.container)).strip().splitlines()[-1:]
            said += [f"last words of {name}: {words[0][:300]}"] if words else []
        return said

    def _log(self, pod: Pod, *, previous: bool) -> str:
        def read() -> str:
            try:
                return self._api.text(
                    self._api.core.read_namespaced_pod_log,
                    pod.name,
                    self._place.namespace,
                    container=self._place.container,
                    tail_lines=_LINES,
                    previous=previous,
                )
            except Refused as refusal:
                if refusal.status == 400:  # it waits to start, or there was no run before
                    return ""
                raise

        return str(self._work.asked(f"read the log of {pod.name}", read))

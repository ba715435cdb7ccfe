"""A workload of the local cluster: revisions, and pods that follow the last of them one rollout after another."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from pathlib import Path
from typing import Any

import aiohttp

from pytest_mlgates.adapters.local.front import Front
from pytest_mlgates.adapters.local.pods import PodProcess, Spec, Template
from pytest_mlgates.adapters.serving.lease import Lease

_EVENTS = 50


class Workload:
    """New pods are up and ready before the old ones leave; a pod that is killed is replaced. `owner` is the process
    it goes away with, None for one that stays.
    """

    def __init__(
        self, folder: Path, spec: Spec, replicas: int, owner: Lease | None, session: aiohttp.ClientSession
    ) -> None:
        self.owner = owner
        self.revisions: list[tuple[int, Template]] = []
        self.front = Front(lambda: self.pods, session)
        self.pods: list[PodProcess] = []
        self._folder, self._spec, self._replicas, self._session = folder, spec, replicas, session
        self._events: deque[str] = deque(maxlen=_EVENTS)
        self._wake = asyncio.Event()
        self._leaving: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.front.open()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        await self.front.close()
        await asyncio.gather(*(pod.end(at_once=True) for pod in self.pods), *self._leaving)

    def deploy(self, template: Template, spec: Spec) -> None:
        self._spec = spec
        if not self.revisions or self.revisions[-1][1] != template:
            self._turn_to(template)

    def undo(self, to: int) -> Template:
        """Raises LookupError when there is no such revision."""
        if to:
            found = [template for number, template in self.revisions if number == to]
        else:
            found = [template for _, template in self.revisions[-2:-1]]
        if not found:
            raise LookupError(f"revision {to}" if to else "a revision before the present one")
        if found[0] != self.revisions[-1][1]:
            self._turn_to(found[0])
        return found[0]

    def kill(self, uid: str) -> None:
        """Raises LookupError when there is no such pod."""
        pod = next((pod for pod in self.pods if pod.uid == uid), None)
        if pod is None:
            raise LookupError(f"a pod {uid}")
        self.say(f"{pod.name} is killed")
        self._leave(pod, at_once=True)
        self._wake.set()

    def clean(self, mark: str) -> list[str]:
        """Forget the revisions with this mark, but for the present one."""
        present = self.revisions[-1][1]
        gone = [number for number, template in self.revisions if template.mark == mark and template != present]
        self.revisions = [(number, template) for number, template in self.revisions if number not in gone]
        return [f"revision {number}" for number in gone]

    def say(self, what: str) -> None:
        self._events.append(f"{time.strftime('%H:%M:%S')} {what}")

    def described(self) -> dict[str, Any]:
        live = [pod for pod in self.pods if not pod.leaving]
        present = self.revisions[-1][1] if self.revisions else None
        settled = len(live) == self._replicas and all(pod.ready and pod.template == present for pod in live)
        return {
            "settled": settled,
            "front": f"http://127.0.0.1:{self.front.port}",
            "revisions": [
                {"number": number, "model_uri": one.model_uri, "run_id": one.run_id, "mark": one.mark}
                for number, one in self.revisions
            ],
            "pods": [pod.described() for pod in live],
            "events": list(self._events),
        }

    def _turn_to(self, template: Template) -> None:
        """A template that was there before comes back under a new highest number, as a ReplicaSet does."""
        number = 1 + max((number for number, _ in self.revisions), default=0)
        self.revisions = [(old, one) for old, one in self.revisions if one != template] + [(number, template)]
        self.say(f"revision {number}: {template.model_uri} (run {template.run_id})")
        self._wake.set()

    async def _keep(self) -> None:
        while True:
            self._wake.clear()
            if self.revisions:
                self._follow(self.revisions[-1][1])
            await self._wake.wait()

    def _follow(self, template: Template) -> None:
        mine = [pod for pod in self.pods if pod.template == template and not pod.leaving]
        for _ in range(len(mine), self._replicas):
            pod = PodProcess(template, self._spec, self._folder, self.say, self._wake.set)
            self.pods.append(pod)
            mine.append(pod)
            self.say(f"{pod.name} is started for {template.model_uri}")
            pod.begin(self._session)
        if all(pod.ready for pod in mine):
            for pod in self.pods:
                if pod.template != template and not pod.leaving:
                    self._leave(pod)

    def _leave(self, pod: PodProcess, *, at_once: bool = False) -> None:
        pod.leaving = True

        async def ended() -> None:
            await pod.end(at_once=at_once)
            self.pods.remove(pod)
            self.say(f"{pod.name} is gone")

        task = asyncio.create_task(ended())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

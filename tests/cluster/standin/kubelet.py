"""Pods as real processes, each on a loopback address of its own."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.cluster.standin.store import Object, Refused, Store, now

#: Seconds before a container that ended is started again; doubled each time.
_BACKOFF = 0.2


def ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


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


class Runtime(Protocol):
    """Runs pods otherwise than as plain processes."""

    def command(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """What to start for the pod `name`, and its environment."""

    def end(self, name: str) -> None:
        """End whatever is left of it."""


class Kubelet:
    """Pods as processes. The first container's command runs with its environment; its address is the pod's own."""

    def __init__(self, store: Store, runtime: Runtime | None = None) -> None:
        self._store, self._runtime = store, runtime
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._again: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._logs: dict[str, list[bytes]] = {}
        self._killed: dict[str, float] = {}
        self._names: set[str] = set()
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
        if self._runtime is not None:
            for name in self._names:
                self._runtime.end(name)

    def _one(self, namespace: str, name: str, pod: Object) -> None:
        uid, container = pod["metadata"]["uid"], pod["spec"]["containers"][0]
        process = self._running.get(uid)
        if "deletionTimestamp" in pod["metadata"]:
            self._end(namespace, name, pod, process)
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
        self._logs.setdefault(uid, []).append(b"")
        command = [*container["command"], *container.get("args", [])]
        if self._runtime is not None:
            self._names.add(name)
            command, environment = self._runtime.command(name, command, environment)
        self._running[uid] = subprocess.Popen(
            command,
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

    def _end(self, namespace: str, name: str, pod: Object, process: subprocess.Popen[bytes] | None) -> None:
        """SIGTERM once, SIGKILL when its grace is over; the pod stays, phase Running and with its address, until the
        process has gone."""
        uid = pod["metadata"]["uid"]
        if process is not None and process.poll() is None:
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
            sign = signal.SIGTERM if uid not in self._killed else None
            if sign is None and time.monotonic() - self._killed[uid] > grace:
                sign = signal.SIGKILL
            self._killed.setdefault(uid, time.monotonic())
            if sign is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            return
        self._running.pop(uid, None)
        self._store.forget(("pods", namespace, name))

    def log_of(self, pod: Object, *, previous: bool) -> str:
        """Of the container that runs, or ran last; `previous`: of the one before."""
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        process, container = self._running.get(uid), pod["spec"]["containers"][0]["name"]
        runs = self._logs.get(uid, [])
        if not runs:
            raise Refused(400, "BadRequest", f'container "{container}" in pod "{name}" is waiting to start')
        if process is not None:
            self._read(uid, process)
        if previous and process is not None:
            runs = runs[:-1]
        if not runs:
            raise Refused(400, "BadRequest", f'previous terminated container "{container}" in pod "{name}" not found')
        return runs[-1].decode(errors="replace")

    def _read(self, uid: str, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._logs[uid][-1] += process.stdout.read() or b""  # type: ignore[union-attr]

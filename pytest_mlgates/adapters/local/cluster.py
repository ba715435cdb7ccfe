"""The embedded cluster: real processes and real HTTP on loopback, kept by a process of its own (keeper)."""

from __future__ import annotations

import fcntl
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.serving.lease import Lease, mine
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, Unreachable
from pytest_mlgates.ports import Pod, Release, Revision

_LOOK = 0.02
_TIMEOUT = 30.0
#: Restarts of one pod that are called a crash loop.
CRASHES = 3
#: The program that serves when the settings name none.
DEFAULT_COMMAND = (sys.executable, "-m", "pytest_mlgates.adapters.local.mlflow_pod")
#: Asks a pod the golden record in the file that comes after it, as a Kubernetes readiness probe does.
PROBE = (sys.executable, "-m", "pytest_mlgates.cli", "probe", "{url}", "--record")


class LocalCluster:
    """The workload `workload` of the keeper in `folder`. It goes away with this process where `lasting` is False.

    `command` is a pod's; it reads MODEL_URI, RUN_ID, HOST and PORT beside `environment`, and is ready when it
    answers GET `path` (or POST `body`) with 200, and the command `probe` ends with 0; {url} and {run_id} in it are
    the pod's.
    """

    def __init__(
        self,
        folder: Path,
        workload: str,
        *,
        command: Sequence[str] = DEFAULT_COMMAND,
        environment: Mapping[str, str],
        replicas: int = 1,
        path: str = "/ping",
        body: str = "",
        probe: Sequence[str] = (),
        lasting: bool = True,
    ) -> None:
        self._folder, self._workload, self._replicas, self._lasting = folder, workload, replicas, lasting
        self._spec = {"command": list(command), "environment": dict(environment), "path": path, "body": body}
        self._spec["probe"] = list(probe)
        self._made = self._seen = False

    @property
    def name(self) -> str:
        return f"local processes ({self._workload} in {self._folder.name})"

    def release(self) -> Release | None:
        revisions = self.revisions()
        return revisions[-1].release if revisions else None

    def deploy(self, release: Release, mark: str = "") -> None:
        before = self._is_there()
        owner = None if self._lasting else asdict(mine())
        template = {"model_uri": release.model_uri, "run_id": release.run_id, "mark": mark}
        said = {"spec": self._spec, "replicas": self._replicas, "owner": owner, "template": template}
        self._change("deploy", said, f"deploy {release}")
        self._made, self._seen = self._made or not before, True

    def settle(self, within: float) -> float:
        start = time.monotonic()
        while True:
            state = self._there()
            if state["settled"]:
                return time.monotonic() - start
            looping = [pod for pod in state["pods"] if pod["restarts"] >= CRASHES]
            late = time.monotonic() - start > within
            if late or looping:
                how = f"{looping[0]['name']} is in a crash loop" if looping else f"not finished within {within:g} s"
                raise CouldNotEvaluate(f"the rollout on {self.name}: {how}{self._words(state)}")
            time.sleep(_LOOK)

    def pods(self) -> tuple[Pod, ...]:
        return tuple(Pod(**pod) for pod in self._state().get("pods", ()))

    def revisions(self) -> tuple[Revision, ...]:
        return tuple(
            Revision(one["number"], Release(one["model_uri"], one["run_id"]), one["mark"])
            for one in self._state().get("revisions", ())
        )

    def undo(self, to: int = 0) -> Release:
        return Release(**self._change("undo", {"to": to}, f"go back to revision {to or 'before'}"))

    def kill(self, pod: Pod, within: float) -> float:
        wanted = len([one for one in self.pods() if one.ready])
        start = time.monotonic()
        self._change("kill", {"uid": pod.uid}, f"end {pod.name}")
        while True:
            state = self._there()
            others = [one for one in state["pods"] if one["uid"] != pod.uid]
            if len(others) == len(state["pods"]) and sum(one["ready"] for one in others) >= wanted:
                return time.monotonic() - start
            if time.monotonic() - start > within:
                raise CouldNotEvaluate(
                    f"{pod.name} was ended and not replaced within {within:g} s on {self.name}{self._words(state)}"
                )
            time.sleep(_LOOK)

    def events(self) -> tuple[str, ...]:
        return tuple(self._state().get("events", ()))

    def logs(self, pod: Pod) -> str:
        return _tail(self._folder / "logs" / f"{pod.name}.log")

    def url(self, pod: Pod | None = None) -> str:
        return f"http://{pod.address}" if pod else str(self._there()["front"])

    def note(self) -> str:
        try:
            return self._note_file.read_text()
        except FileNotFoundError:
            return ""
        except OSError as problem:
            raise CouldNotEvaluate(f"the note {self._note_file} cannot be read: {problem.strerror}") from None

    def leave(self, note: str, *, instead_of: str) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "notes.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self.note() != instead_of:
                    return False
                if note:
                    new = self._note_file.with_suffix(".new")
                    new.write_text(note)
                    new.replace(self._note_file)
                else:
                    self._note_file.unlink(missing_ok=True)
                return True
        except OSError as problem:
            raise ActionFailed(f"the note {self._note_file} cannot be written: {problem.strerror}") from None

    def clean(self, mark: str) -> tuple[str, ...]:
        if not self._is_there():
            return ()
        return tuple(self._change("clean", {"mark": mark}, f"remove what carries {mark}")["removed"])

    def remove(self) -> None:
        """Also a workload that goes away with its maker is removed here, so that it is gone on return."""
        if self._made and self._is_there():
            self._change("remove", {}, "remove it")
        self._made = self._seen = False

    def close(self) -> None:
        return None

    @property
    def _note_file(self) -> Path:
        return self._folder / f"{self._workload}.note"

    def _state(self) -> dict[str, Any]:
        """What the keeper says of the workload; {} when there is no such workload, or no keeper.

        Raises Unreachable when it does not answer, or was there before and is not any more.
        """
        keeper = keeper_of(self._folder)
        try:
            state = _asked(keeper, "state", self._workload, {}) if keeper else {}
        except ConnectionError:
            state = {}
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise Unreachable(f"{self.name}: the keeper does not answer: {problem}") from None
        if self._seen and not state:
            raise Unreachable(f"{self.name}: it is gone; somebody ended it, or the process that kept it")
        self._seen = bool(state)
        return state

    def _is_there(self) -> bool:
        """Whether there is such a workload, whatever there was before."""
        self._seen = False
        return bool(self._state())

    def _there(self) -> dict[str, Any]:
        state = self._state()
        if not state:
            raise CouldNotEvaluate(f"{self.name}: there is no such workload (any more)")
        return state

    def _change(self, call: str, said: dict[str, Any], what: str) -> dict[str, Any]:
        try:
            for attempt in range(2):
                keeper = keeper_of(self._folder) or (start_keeper(self._folder) if call == "deploy" else None)
                if keeper is None and self._seen:
                    raise Unreachable(f"cannot {what} on {self.name}: the process that kept it has ended")
                if keeper is None:
                    raise ActionFailed(f"cannot {what} on {self.name}: nothing is deployed there")
                try:
                    return _asked(keeper, call, self._workload, said)
                except ConnectionError:
                    if attempt:  # the first keeper may just have been going away
                        raise
        except LookupError as problem:
            raise ActionFailed(f"cannot {what} on {self.name}: {problem}") from None
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise Unreachable(f"cannot {what} on {self.name}: the keeper does not answer: {problem}") from None
        raise AssertionError("unreachable")

    def _words(self, state: Mapping[str, Any]) -> str:
        """The last events, and what the pods that are not ready wrote."""
        said = f"; last events: {' | '.join(state['events'][-4:])}" if state["events"] else ""
        silent = [pod for pod in state["pods"] if not pod["ready"]]
        last = [_tail(self._folder / "logs" / f"{pod['name']}.log").strip().splitlines()[-1:] for pod in silent]
        words = [lines[0][:300] for lines in last if lines]
        return f"{said}; last words of {silent[0]['name']}: {words[0]}" if words else said


def keeper_of(folder: Path) -> dict[str, Any] | None:
    """Where the keeper of `folder` answers, or None when none is alive."""
    try:
        state = json.loads((folder / "keeper.json").read_text())
    except (OSError, ValueError):
        return None
    return state if Lease(state["pid"], state["started"]).alive else None


def start_keeper(folder: Path) -> dict[str, Any]:
    """Raises ActionFailed with the process's words."""
    command = [sys.executable, "-P", "-m", "pytest_mlgates.adapters.local.keeper", str(folder.absolute())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, close_fds=True)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ActionFailed(f"the local cluster in {folder} cannot be started: {problem}") from None
    keeper = keeper_of(folder)
    if keeper is None:
        words = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise ActionFailed(f"the local cluster in {folder} cannot be started: {words[-1]}")
    return keeper


def _asked(keeper: Mapping[str, Any], call: str, workload: str, said: Mapping[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", keeper["port"], timeout=_TIMEOUT)
    try:
        connection.request("POST", f"/{call}/{workload}", json.dumps(said), {"X-Token": keeper["token"]})
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200:
        raise LookupError(told.get("error", f"status {answer.status}"))
    return told


def _tail(file: Path, size: int = 4000) -> str:
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - size))
            return log.read().decode(errors="replace")
    except OSError:
        return ""

"""Runs models in child processes, so that no model is ever loaded where the gates judge."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.adapters.scoring import scoring_child
from pytest_mlgates.adapters.scoring.child.loading import NATIVE
from pytest_mlgates.adapters.scoring.child_model import ChildModel
from pytest_mlgates.adapters.scoring.confinement import STRICT, Confinement, child_environment
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Version


class ChildScorer:
    """One process that has the libraries imported, and a fork of it for each model.

    It starts at once, so that its imports run beside the caller's. `timeout` bounds every answer, in seconds;
    `shown` names further environment variables that models need; `confinement` is what they may do.
    """

    def __init__(
        self,
        *,
        timeout: float,
        shown: Collection[str] = (),
        environ: Mapping[str, str],
        confinement: Confinement = STRICT,
    ) -> None:
        if not hasattr(os, "fork"):
            raise CouldNotEvaluate("models are scored in forked child processes, which this platform does not have")
        self._timeout, self._confinement = timeout, confinement
        self._opened = 0
        self._made: list[ChildModel] = []
        self._folder = tempfile.TemporaryDirectory(prefix="mlgates-", ignore_cleanup_errors=True)
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", scoring_child.__file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=child_environment(environ, shown),
                start_new_session=True,
            )

    def open(self, files: Path, name: str, version: Version | None = None) -> ChildModel:
        """A child for the model in `files`, which it loads when first asked."""
        self._opened += 1
        key = str(self._opened)
        mine, theirs = socket.socketpair()
        mine.settimeout(self._timeout)
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the model keeps it until it is closed
        own = Path(self._folder.name, key)
        own.mkdir()
        confine = self._confinement.plan(own, self._timeout)
        place = str(files.resolve())
        order = {"do": "open", "key": key, "files": place, "imports": _imports(files), "confine": confine}
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], [theirs.fileno(), log.fileno()])
        except OSError as problem:
            raise CouldNotEvaluate(f"{name}: the process that runs models has gone ({problem})") from None
        self._made.append(ChildModel(name, mine, log, Fork(self, key)))
        return self._made[-1]

    def end_of(self, key: str) -> int | None:
        """Waits for a child that has gone and gives its exit code, minus the signal's number when killed."""
        self._control.sendall(json.dumps({"do": "wait", "key": key}).encode() + b"\n")
        self._control.settimeout(10)
        code = json.loads(self._control.recv(64))
        return None if code is None else int(code)

    def kill(self, key: str) -> None:
        """Ends a child that does not answer; it is not waited for."""
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps({"do": "kill", "key": key}).encode() + b"\n")

    def close(self) -> None:
        """Ends every process this scorer started."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()
        for model in self._made:
            model.let_go()


@dataclass(frozen=True, slots=True)
class Fork:
    """One of the scorer's children."""

    scorer: ChildScorer
    key: str

    def end_of(self) -> int | None:
        return self.scorer.end_of(self.key)

    def kill(self) -> None:
        self.scorer.kill(self.key)


def _imports(files: Path) -> list[str]:
    """What this model will need, imported once before the fork rather than in every child."""
    text = (files / "MLmodel").read_text(encoding="utf-8")
    found = [f"mlflow.{flavour}" for flavour in NATIVE if f"\n  {flavour}:" in text]
    return [] if found == ["mlflow.sklearn"] else [*found, "mlflow.pyfunc"]

"""Runs a model in an interpreter of its own, whose environment is not the gate's and not trusted."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

from pytest_mlgates.adapters.scoring import scoring_child
from pytest_mlgates.adapters.scoring.child.frames import send
from pytest_mlgates.adapters.scoring.child_model import ChildModel
from pytest_mlgates.adapters.scoring.confinement import Confinement, child_environment
from pytest_mlgates.errors import CouldNotEvaluate

_MOST_NODES = 100_000
_PATIENCE = 3.0


class LoneScorer:
    """As `ChildScorer`, but each model has a process that imports nothing before it is confined."""

    def __init__(
        self, *, timeout: float, shown: Collection[str], environ: Mapping[str, str], confinement: Confinement
    ) -> None:
        self._timeout, self._confinement = timeout, confinement
        self._environ = child_environment(environ, shown)
        self._folder = tempfile.TemporaryDirectory(prefix="mlgates-", ignore_cleanup_errors=True)
        self._made: list[tuple[ChildModel, Alone]] = []

    def open(self, files: Path, name: str, environment: Path, *, arrow: bool, lacks: str) -> ChildModel:
        """`environment` is the folder of a virtual environment. Raises CouldNotEvaluate."""
        described = _described(files)
        own = Path(self._folder.name, str(len(self._made)))
        own.mkdir()
        plan = self._confinement.plan(own, self._timeout) | {"read": [str(environment.resolve())]}
        mine, theirs = socket.socketpair()
        mine.settimeout(self._timeout)
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the model keeps it until it is closed
        with theirs:
            process = self._started(environment / "bin" / "python", theirs, log)
        model = ChildModel(name, mine, log, process, arrow=arrow, lacks=lacks)
        self._made.append((model, process))
        try:
            send(mine, {"files": str(files.resolve()), "confine": plan, "described": described})
        except OSError as problem:
            raise CouldNotEvaluate(f"{name}: its process has gone ({problem})") from None
        return model

    def close(self) -> None:
        """Ends every process this scorer started."""
        for model, process in self._made:
            process.end_of(patience=0)
            model.let_go()
        self._folder.cleanup()

    def _started(self, python: Path, theirs: socket.socket, log: IO[bytes]) -> Alone:
        # Neither the environment nor variables may bring code in before it is confined: -I and -S.
        command = [str(python), "-I", "-S", scoring_child.__file__, "alone", str(theirs.fileno())]
        try:
            return Alone(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[theirs.fileno()],
                    env=self._environ,
                    start_new_session=True,
                )
            )
        except OSError as problem:
            raise CouldNotEvaluate(f"{python} cannot be started: {problem}") from None


class Alone:
    """A model's whole process group."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def end_of(self, patience: float = _PATIENCE) -> int | None:
        """The exit code; who hung up and goes on running is ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self.kill()
        return self._process.wait()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _described(files: Path) -> Any:
    """MLmodel as a table that JSON can hold. Raises CouldNotEvaluate."""
    import yaml

    try:
        document = yaml.safe_load((files / "MLmodel").read_text(encoding="utf-8"))
        return _copied(document, [0])
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as problem:
        raise CouldNotEvaluate(f"{files / 'MLmodel'} cannot be read: {str(problem).splitlines()[0]}") from None


def _copied(value: Any, count: list[int]) -> Any:
    """Anchors of YAML make a small text a tree without end, so nodes are counted."""
    count[0] += 1
    if count[0] > _MOST_NODES:
        raise ValueError(f"it has more than {_MOST_NODES} entries")
    if isinstance(value, dict):
        return {str(key): _copied(one, count) for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one, count) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)

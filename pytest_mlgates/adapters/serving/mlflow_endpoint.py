"""A registry version served on loopback by MLflow's own scoring server, in a process of its own."""

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
from pathlib import Path

from pytest_mlgates.adapters.scoring.confinement import STRICT, Confinement, child_environment
from pytest_mlgates.adapters.serving import serving_child
from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint
from pytest_mlgates.adapters.serving.leftovers import Note
from pytest_mlgates.errors import CouldNotEvaluate

_LAST_LINES = 5


class MlflowEndpoint(HttpEndpoint):
    """Starts at once and answers when it is ready. `folder` is where its log and the note of its process go."""

    def __init__(
        self,
        name: str,
        files: Path,
        folder: Path,
        *,
        wire: str = "mlflow",
        timeout: float = 10.0,
        shown: Collection[str] = (),
        environ: Mapping[str, str],
        confinement: Confinement = STRICT,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Bound here and handed down: from now on nobody else can answer on this port.
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as port:
            super().__init__(name, f"http://127.0.0.1:{port.getsockname()[1]}", wire, timeout=timeout)
            self._log = folder / f"{name.replace(' ', '-')}-{os.getpid()}.log"
            self._home = tempfile.TemporaryDirectory(prefix="mlgates-", ignore_cleanup_errors=True)
            plan = json.dumps(confinement.plan(Path(self._home.name), 0))
            place = str(files.resolve())
            command = [sys.executable, "-P", serving_child.__file__, str(port.fileno()), place, plan]
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "pytest_mlgates.adapters.serving.tied_child", *command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    pass_fds=[port.fileno()],
                    env=child_environment(environ, shown),
                    start_new_session=True,
                )
        self._note = Note.write(folder, self._process.pid, name, self._log)
        self.processes = (self._process.pid,)

    def check_alive(self) -> None:
        code = self._process.poll()
        if code is not None:
            how = f"exit code {code}" if code < 128 else f"signal {signal.Signals(code - 128).name}"
            raise CouldNotEvaluate(f"{self.name}: its server ended with {how}{self._last_words()}")

    def close(self) -> None:
        """Ends the server and everything it started."""
        super().close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._home.cleanup()
        self._note.remove()

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines()]
        said = [line[:200] for line in lines if line.strip("^~ ")][-_LAST_LINES:]
        return f"; the end of its log: {' | '.join(said)}" if said else ""

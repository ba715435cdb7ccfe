"""Runs models in child processes, so that no model is ever loaded where the gates judge."""

from __future__ import annotations

import contextlib
import io
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
from typing import IO, Any

from pytest_mlgates.adapters import isolation, scoring_child
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Answer, Method

#: What a child sees of our environment; everything else, tokens above all, stays here.
_SHOWN = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION",
)
_SHOWN_PREFIXES = ("LC_", "PYTHON", "OMP_", "MKL_", "OPENBLAS_")


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a model's process may do beyond computing.

    `ports`: TCP ports it may connect to; `memory`: bytes, 0 for four fifths of what the machine has; `processes`:
    whether it may start any; `required`: whether it may run where a protection cannot be had; `writable`: folders
    beside its own that it may write.
    """

    ports: tuple[int, ...] = ()
    memory: int = 0
    processes: bool = False
    required: bool = False
    writable: tuple[str, ...] = ()

    def plan(self, own: Path, timeout: float) -> dict[str, Any]:
        """As `isolation.confine` takes it; `own` is the model's folder."""
        return {
            "write": [str(own), *self.writable],
            "memory": self.memory or _machine_memory() * 4 // 5,
            "seconds": timeout * (os.cpu_count() or 1) * 20,
            "ports": list(self.ports),
            "processes": self.processes,
            "required": self.required,
        }


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
        confinement: Confinement = Confinement(),
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

    def open(self, files: Path, name: str) -> ChildModel:
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
        with theirs, _gone(name):
            socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], [theirs.fileno(), log.fileno()])
        self._made.append(ChildModel(self, key, name, mine, log))
        return self._made[-1]

    def end_of(self, key: str) -> int:
        """Waits for a child that has gone and gives its exit code, minus the signal's number when killed."""
        self._control.sendall(json.dumps({"do": "wait", "key": key}).encode() + b"\n")
        self._control.settimeout(10)
        return int(json.loads(self._control.recv(64)))

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


class ChildModel:
    """A model in a child process."""

    def __init__(self, scorer: ChildScorer, key: str, name: str, wire: socket.socket, log: IO[bytes]) -> None:
        self._scorer, self._key, self.name = scorer, key, name
        self._wire, self._log = wire, log

    def start(self, method: Method, rows: Any) -> None:
        kind, payload = _packed(rows)
        with _gone(self.name):
            scoring_child.send(self._wire, {"method": method, "rows": kind}, payload)

    def answer(self) -> Answer:
        """Raises CouldNotEvaluate when the model raises, dies, or is silent for too long."""
        try:
            header, payload = scoring_child.receive(self._wire)
        except TimeoutError:
            limit = self._wire.gettimeout()
            self._scorer.kill(self._key)
            raise CouldNotEvaluate(
                f"{self.name} did not answer within {limit:g} s: raise scoring_timeout, or make it faster"
            ) from None
        except (EOFError, OSError):
            raise CouldNotEvaluate(f"{self.name}: {self._death()}") from None
        if "error" in header:
            raise CouldNotEvaluate(f"{self.name} raised {header['error']}")
        import numpy as np

        values = np.load(io.BytesIO(payload), allow_pickle=False)
        return Answer(values, header["method"], header["flavour"], tuple(header["classes"]))

    def let_go(self) -> None:
        """Close what ties it to its process, which has gone."""
        self._wire.close()
        self._log.close()

    def _death(self) -> str:
        try:
            code = self._scorer.end_of(self._key)
        except (OSError, ValueError):
            return "the process that runs models has gone"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"its process {how}" + (f"; its last words: {last[0][:300]}" if last else "")


def missing_protections() -> dict[str, str]:
    """The protections that a model's process cannot have here, each with why: tried in a process that is then gone.

    Raises CouldNotEvaluate when that process gives no answer.
    """
    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as outside:
        Path(outside, "secret").write_text("")
        command = [sys.executable, "-I", "-S", isolation.__file__, own, outside]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=60, env={}, check=True)
            found: dict[str, str] = json.loads(tried.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            raise CouldNotEvaluate(f"what models can be kept from here could not be tried ({problem})") from None
    return found


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextlib.contextmanager
def _gone(name: str) -> Any:
    try:
        yield
    except OSError as problem:
        raise CouldNotEvaluate(f"{name}: the process that runs models has gone ({problem})") from None


def _packed(rows: Any) -> tuple[str, bytes]:
    """Rows as bytes that another environment can read: Arrow for a DataFrame, npy for an array."""
    if hasattr(rows, "columns"):
        import pyarrow as pa

        try:
            table = pa.Table.from_pandas(rows)
        except pa.ArrowException as problem:
            raise CouldNotEvaluate(f"these rows cannot be handed to a model: {problem}") from None
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return "frame", sink.getvalue().to_pybytes()
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(rows), allow_pickle=False)
    return "array", stream.getvalue()


def _imports(files: Path) -> list[str]:
    """What this model will need, imported once before the fork rather than in every child."""
    text = (files / "MLmodel").read_text(encoding="utf-8")
    found = [f"mlflow.{flavour}" for flavour in scoring_child.NATIVE if f"\n  {flavour}:" in text]
    return [] if found == ["mlflow.sklearn"] else [*found, "mlflow.pyfunc"]


def child_environment(environ: Mapping[str, str], shown: Collection[str]) -> dict[str, str]:
    """What a process that runs a model sees of `environ`."""
    kept = {k: v for k, v in environ.items() if k in _SHOWN or k in shown or k.startswith(_SHOWN_PREFIXES)}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}

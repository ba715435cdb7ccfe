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
from pathlib import Path
from typing import IO, Any

from pytest_mlgates.adapters import scoring_child
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


class ChildScorer:
    """One process that has the libraries imported, and a fork of it for each model.

    It starts at once, so that its imports run beside the caller's. `timeout` bounds every answer, in seconds;
    `shown` names further environment variables that models need.
    """

    def __init__(self, *, timeout: float, shown: Collection[str] = (), environ: Mapping[str, str]) -> None:
        if not hasattr(os, "fork"):
            raise CouldNotEvaluate("models are scored in forked child processes, which this platform does not have")
        self._timeout = timeout
        self._opened = 0
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", scoring_child.__file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(environ, shown),
                start_new_session=True,
            )

    def open(self, files: Path, name: str) -> ChildModel:
        """A child for the model in `files`, which it loads when first asked."""
        self._opened += 1
        key = str(self._opened)
        mine, theirs = socket.socketpair()
        mine.settimeout(self._timeout)
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the model keeps it until it is closed
        order = {"do": "open", "key": key, "files": str(files), "imports": _imports(files)}
        with theirs, _gone(name):
            socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], [theirs.fileno(), log.fileno()])
        return ChildModel(self, key, name, mine, log)

    def end_of(self, key: str) -> int:
        """Waits for a child that has gone and gives its exit code, minus the signal's number when killed."""
        self._control.sendall(json.dumps({"do": "wait", "key": key}).encode() + b"\n")
        self._control.settimeout(10)
        return int(json.loads(self._control.recv(64)))

    def close(self) -> None:
        """Ends every process this scorer started."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


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

    def _death(self) -> str:
        try:
            code = self._scorer.end_of(self._key)
        except (OSError, ValueError):
            return "the process that runs models has gone"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"its process {how}" + (f"; its last words: {last[0][:300]}" if last else "")


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


def _environment(environ: Mapping[str, str], shown: Collection[str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k in _SHOWN or k in shown or k.startswith(_SHOWN_PREFIXES)}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}

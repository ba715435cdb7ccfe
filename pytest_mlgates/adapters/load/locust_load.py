"""Load made by Locust, in processes of its own: importing it would patch this one."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from pytest_mlgates.adapters.load.frames import plan_as_text
from pytest_mlgates.adapters.load.tape import Tape
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import LoadPlan, Samples

_FILE = Path(__file__).with_name("locustfile.py")
#: What the processes see of our environment: no token, no proxy, and no LOCUST_ variable, which would change the load.
_SHOWN = ("PATH", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SHOWN_PREFIXES = ("LC_", "PYTHON")
#: Seconds: until local processes must have begun, until remote ones must, between signs of life, and of a whole run.
_START, _CONNECT, _SILENCE, _LONGEST = 60.0, 300.0, 15.0, 3600
_DISMISSAL = 5.0
_POLL = 0.2


class LocustLoad:
    """Makes load from one process, from `workers` processes here, or from `remote` ones elsewhere, which connect to
    `bind` (HOST:PORT). `environ` is where the few shown variables come from.
    """

    def __init__(self, environ: Mapping[str, str], *, workers: int = 0, remote: int = 0, bind: str = "") -> None:
        self._environ, self._workers, self._remote, self._bind = environ, workers, remote, bind
        self._runs: list[LocustRun] = []

    def start(self, plan: LoadPlan) -> LocustRun:
        """Begin to make load. Raises CouldNotEvaluate when Locust is not installed."""
        if importlib.util.find_spec("locust") is None:
            raise CouldNotEvaluate('load is made by Locust, which is not installed: pip install "pytest-mlgates[load]"')
        run = LocustRun(plan, _environment(self._environ), self._workers, self._remote, self._bind)
        self._runs.append(run)
        return run

    def stop(self) -> None:
        """End every run."""
        for run in self._runs:
            run.stop()


class LocustRun:
    """Load that is being made. The processes end when `stop` is called, or when this process does, however it does."""

    def __init__(self, plan: LoadPlan, environment: Mapping[str, str], workers: int, remote: int, bind: str) -> None:
        self._plan, self._count, self._remote = plan, workers or remote or 1, remote
        self._patience = _CONNECT if remote else _START
        self._processes: list[subprocess.Popen[bytes]] = []
        self._samples, self._log = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - until `stop`
        self._tape = Tape(self._samples.fileno(), plan, self._count)
        theirs, self._life = os.pipe()
        with _written(plan_as_text(plan)) as text, os.fdopen(theirs):
            fds = {"plan": text.fileno(), "samples": self._samples.fileno(), "life": theirs}
            try:
                self._begin(fds, environment, workers, remote, bind)
            except BaseException:
                self.stop()
                raise

    @property
    def began(self) -> float:
        """When load began, on the monotonic clock, which the processes of a machine share; 0: not yet."""
        return self._tape.began

    def samples(self, requests: int, within: float) -> dict[str, Samples]:
        """As `LoadRun.samples`."""
        end = time.monotonic() + within
        soonest = self._plan.warm_up + 0.9 * requests / self._plan.rate
        while True:
            over = time.monotonic() >= end
            self._tape.advance()
            if over or self._tape.complete_until() >= soonest:
                found = self._tape.samples(requests)
                if over or all(len(one.due) >= requests for one in found.values()):
                    return found
            self._check_alive()
            time.sleep(_POLL)

    def busy(self) -> float:
        return self._tape.cpu_share()

    def stop(self) -> None:
        if self._remote and self._life >= 0:
            self._dismiss()
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
            self._samples.close()
            self._log.close()

    def _dismiss(self) -> None:
        """Workers elsewhere are out of our reach, but the master's last word to them is to quit."""
        for process in self._processes:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_DISMISSAL)

    def _begin(
        self, fds: Mapping[str, int], environment: Mapping[str, str], workers: int, remote: int, bind: str
    ) -> None:
        alone = ["--users", str(self._count), "--spawn-rate", str(self._count), "--run-time", str(_LONGEST)]
        if not workers and not remote:
            self._start(alone, fds, environment)
            return
        host, _, port = (bind or f"127.0.0.1:{_free_port()}").rpartition(":")
        expected = ["--expect-workers", str(self._count), "--expect-workers-max-wait", str(round(self._patience))]
        place = ["--master-bind-host", host, "--master-bind-port", port]
        self._start(["--master", *expected, *place, *alone], fds, environment)
        for _ in range(workers):
            connected = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
            self._start(connected, {"life": fds["life"]}, environment)

    def _start(self, args: list[str], fds: Mapping[str, int], environment: Mapping[str, str]) -> None:
        # -P, and a folder and home without files: Locust reads settings from wherever it is started.
        command = [sys.executable, "-P", "-m", "locust", "-f", str(_FILE), "--headless", "--only-summary"]
        self._processes.append(
            subprocess.Popen(
                [*command, "--loglevel", "ERROR", "--stop-timeout", "0", *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                pass_fds=list(fds.values()),
                cwd="/",
                env={**environment, "HOME": "/nonexistent", "MLGATES_LOAD": json.dumps(dict(fds))},
                start_new_session=True,
            )
        )

    def _check_alive(self) -> None:
        """Raises CouldNotEvaluate when a process has ended or has been silent for too long."""
        for process in self._processes:
            code = process.poll()
            if code is not None:
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
                raise CouldNotEvaluate(f"the load generator {how} before its time{self._last_words()}")
        limit = _SILENCE if self._tape.began else self._patience
        if self._tape.silent() > limit:
            what = "fell silent" if self._tape.began else "did not begin"
            raise CouldNotEvaluate(f"the load generator {what} for {limit:g} s{self._last_words()}")

    def _last_words(self) -> str:
        said = os.pread(self._log.fileno(), 1 << 16, 0).decode(errors="replace").strip().splitlines()
        return f"; its last words: {said[-1][:300]}" if said else ""


@contextlib.contextmanager
def _written(text: str) -> Iterator[IO[bytes]]:
    """A file without a name, for the headers in the plan are nobody else's business."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k in _SHOWN or k.startswith(_SHOWN_PREFIXES)}
    root = Path(__file__).parents[3]
    if (root / "pyproject.toml").is_file():  # a checkout, which need not be installed
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [kept.get("PYTHONPATH", ""), str(root)]))
    return kept

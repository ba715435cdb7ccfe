"""Light load on a workload during a drill, made by a process of its own (drill_load_child)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Asked, Call

_CHILD = Path(__file__).with_name("drill_load_child.py")
_START = 30.0
_SHOWN = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


class DrillLoad:
    """Asks `call` `rate` times a second until `stop`; an answer is right when it has the run id and the values of one
    of `expected`. `timeout` in seconds bounds each answer. Raises CouldNotEvaluate when it cannot begin.
    """

    def __init__(
        self,
        call: Call,
        expected: Mapping[str, Sequence[Any]],
        rate: float,
        *,
        wire: str,
        tolerance: float,
        timeout: float = 10.0,
    ) -> None:
        self._timeout = timeout
        plan = {
            "url": call.url,
            "method": call.method,
            "body": call.body.decode(),
            "headers": dict(call.headers),
            "expected": {run: list(values) for run, values in expected.items()},
            "rate": rate,
            "wire": wire,
            "tolerance": tolerance,
            "timeout": timeout,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _SHOWN if name in os.environ},
            text=True,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(plan) + "\n")
            self._process.stdin.flush()
        if self._line(_START) != "asking":
            self._end()
            raise CouldNotEvaluate("the load of the drill could not be started")

    def stop(self) -> Asked:
        """What came of it; every question that was sent has been waited for. Raises CouldNotEvaluate."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        line = self._line(self._timeout + 10)
        code = self._end()
        if not line:
            raise CouldNotEvaluate(f"the process that made the drill's load died (exit code {code})")
        told = json.loads(line)
        return Asked(**{**told, "first": tuple((at, fault) for at, fault in told["first"])})

    def _line(self, within: float) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], within)
        return self._process.stdout.readline().strip() if ready else ""

    def _end(self) -> int:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            return self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

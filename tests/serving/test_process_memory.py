"""Memory of real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint
from pytest_mlgates.adapters.serving.process_memory import ProcessMeter
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.load.memory import left_behind
from pytest_mlgates.policy import Memory
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

SERVER = Path(__file__).with_name("leaky_server.py")
GROWS = """
import sys
kept = []
print(flush=True)
for line in sys.stdin:
    kept.append(bytearray(50 << 20))
    print(flush=True)
"""
PARENT = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"


@contextmanager
def talking(*command: str) -> Iterator[Any]:
    with subprocess.Popen([sys.executable, *command], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def more(process: Any) -> None:
    process.stdin.write("more\n")
    process.stdin.flush()
    process.stdout.readline()


def test_what_a_child_of_a_child_holds_counts() -> None:
    with talking("-c", PARENT, GROWS) as process:
        meter = ProcessMeter([process.pid], "it")
        before = meter.resident()
        more(process)
        assert 45 < (meter.resident() - before) / 2**20 < 60
        process.stdin.close()
        process.wait(20)


WORKER = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(flush=True)
for line in sys.stdin:
    worker.kill()
    worker.wait()
    print(flush=True)
"""


def test_a_worker_that_ends_meanwhile_takes_what_it_leaked_along() -> None:
    with talking("-c", WORKER) as process:
        meter = ProcessMeter([process.pid], "it")
        meter.resident()
        more(process)
        with pytest.raises(CouldNotEvaluate, match=r"^it: its process \d+ ended while its memory was watched"):
            meter.resident()


def test_a_server_that_ends_meanwhile_is_said() -> None:
    with talking("-c", GROWS) as process:
        meter = ProcessMeter([process.pid], "it")
        meter.resident()
        process.kill()
        process.wait(20)
        with pytest.raises(CouldNotEvaluate, match=r"^it: its memory cannot be read"):
            meter.resident()


def test_nobody_to_watch_is_an_error() -> None:
    with pytest.raises(CouldNotEvaluate, match=r"^it runs elsewhere, where its memory cannot be seen"):
        ProcessMeter([], "it")
    with subprocess.Popen(["true"]) as process:
        pass
    with pytest.raises(CouldNotEvaluate, match=f"^it: its memory cannot be read: .*pid={process.pid}"):
        ProcessMeter([process.pid], "it")


def test_without_psutil_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(CouldNotEvaluate) as raised:
        ProcessMeter([1], "it")
    assert str(raised.value) == 'memory is read by psutil: pip install "pytest-mlgates[load]"'


def cards(monkeypatch: pytest.MonkeyPatch, *running: tuple[int, int | None]) -> None:
    """NVIDIA's library with one card, used by these (process, bytes)."""
    library = SimpleNamespace(
        NVMLError=OSError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetComputeRunningProcesses=lambda card: [
            SimpleNamespace(pid=pid, usedGpuMemory=held) for pid, held in running
        ],
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)


def test_graphics_memory_of_its_own_processes_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking("-c", GROWS) as process:
        cards(monkeypatch, (process.pid, 3 << 20), (1, 5 << 20), (process.pid, None))
        assert ProcessMeter([process.pid], "it").graphics() == 3 << 20
        cards(monkeypatch, (1, 5 << 20))
        meter = ProcessMeter([process.pid], "it")
        assert meter.graphics() is None
        assert meter.remark == "no process of the endpoint uses a graphics card, as far as can be seen from here"


def test_without_a_card_or_its_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking("-c", GROWS) as process:
        monkeypatch.setitem(sys.modules, "pynvml", None)
        meter = ProcessMeter([process.pid], "it")
        assert meter.graphics() is None
        assert meter.remark.startswith("not looked at: pip install")


class Rows(SimpleNamespace):
    def __len__(self) -> int:
        return 10


@pytest.mark.long
@pytest.mark.parametrize(("leak", "verdict"), [(0, Verdict.PASS), (1024, Verdict.FAIL)])
def test_a_real_server_with_and_without_a_leak(leak: int, verdict: Verdict) -> None:
    with subprocess.Popen([sys.executable, str(SERVER), str(leak)], stdin=-1, stdout=-1, text=True) as server:
        assert server.stdout is not None
        endpoint = HttpEndpoint("it", f"http://127.0.0.1:{server.stdout.readline().strip()}", "mlflow")
        golden: Any = Rows(X=pd.DataFrame({"x": np.arange(10.0)}))
        [found] = left_behind(endpoint, ProcessMeter([server.pid], "it"), golden, Memory(), lambda _: None)
        endpoint.close()
        server.kill()
    assert at_most(Memory().leak)(found).verdict is verdict

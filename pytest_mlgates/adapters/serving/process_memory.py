"""Memory of processes on this machine, as psutil and NVIDIA's management library see it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate


class ProcessMeter:
    """Watches `processes` and all that they started; `name` is whose they are, for messages.

    Raises CouldNotEvaluate when psutil is missing, none of the processes is there, or one ends while it is watched: a
    worker that is replaced takes what it leaked with it.
    """

    def __init__(self, processes: Collection[int], name: str) -> None:
        try:
            import psutil
        except ImportError:
            raise CouldNotEvaluate('memory is read by psutil: pip install "pytest-mlgates[load]"') from None
        if not processes:
            raise CouldNotEvaluate(
                f"{name} runs elsewhere, where its memory cannot be seen: leave its URL out of "
                "[tool.mlgates.endpoint], so that it is served here"
            )
        self._psutil, self._name = psutil, name
        self._roots = [self._found(pid) for pid in processes]
        self._known: dict[int, Any] = {}
        self.remark = ""
        self._cards = self._opened_cards()

    def resident(self) -> float:
        """Resident and swapped out: what is swapped out is held all the same."""
        return float(sum(self._held(process) for process in self._tree()))

    def graphics(self) -> float | None:
        if self._cards is None:
            return None
        library, cards = self._cards
        mine = {process.pid for process in self._tree()}
        held = []
        for card in cards:
            with contextlib.suppress(library.NVMLError):
                running = library.nvmlDeviceGetComputeRunningProcesses(card)
                held += [one.usedGpuMemory for one in running if one.pid in mine and one.usedGpuMemory is not None]
        if not held:
            self.remark = "no process of the endpoint uses a graphics card, as far as can be seen from here"
        return float(sum(held)) if held else None

    def _tree(self) -> list[Any]:
        found = list(self._roots)
        for root in self._roots:
            with self._gone():
                found += root.children(recursive=True)
        now = {process.pid: process for process in found}
        lost = [process for pid, process in self._known.items() if now.get(pid) != process]
        if lost:
            raise CouldNotEvaluate(
                f"{self._name}: its process {lost[0].pid} ended while its memory was watched: a worker that is "
                "replaced takes what it leaked along"
            )
        self._known = now
        return found

    def _held(self, process: Any) -> int:
        with self._gone():
            return int(process.memory_info().rss) + _swapped(process.pid)
        raise AssertionError

    def _found(self, pid: int) -> Any:
        with self._gone():
            return self._psutil.Process(pid)

    @contextlib.contextmanager
    def _gone(self) -> Any:
        try:
            yield
        except self._psutil.Error as problem:
            raise CouldNotEvaluate(f"{self._name}: its memory cannot be read: {problem}") from None

    def _opened_cards(self) -> tuple[Any, list[Any]] | None:
        try:
            import pynvml
        except ImportError:
            self.remark = 'not looked at: pip install "pytest-mlgates[load]" brings nvidia-ml-py'
            return None
        try:
            pynvml.nvmlInit()
            cards = [pynvml.nvmlDeviceGetHandleByIndex(one) for one in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as problem:
            self.remark = f"no NVIDIA graphics card here ({problem})"
            return None
        return pynvml, cards


def _swapped(pid: int) -> int:
    """Bytes swapped out, where the system says so."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmSwap:"):
                return int(line.split()[1]) * 1024
    return 0

"""The file that the load generator appends raw samples to, read as it grows."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.load.frames import Records, frames
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import LoadPlan, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tape:
    """What is on the file `fd` so far, of a plan that `workers` processes make."""

    def __init__(self, fd: int, plan: LoadPlan, workers: int) -> None:
        import numpy as np

        self._fd, self._plan, self._workers = fd, plan, workers
        self._read, self._rest = 0, b""
        self._kind = np.dtype(
            [("target", "u1"), ("fault", "<u2"), ("due", "<f8"), ("sent", "<f8"), ("done", "<f8")], align=False
        )
        self._records: list[NDArray[Any]] = []
        self._faults = {"": 0}
        self._theirs: dict[tuple[int, int], int] = {}
        self._complete: dict[int, float] = {}
        self._cpu: dict[int, list[tuple[float, float]]] = {}
        self._began: dict[int, float] = {}
        self._opened = time.monotonic()
        self._spoke: dict[int, float] = {}
        self._trouble = ""

    @property
    def began(self) -> float:
        """When the last of the workers began, on its monotonic clock, which a machine's processes share; else 0."""
        return max(self._began.values()) if len(self._spoke) == self._workers else 0.0

    def silent(self) -> float:
        """Seconds since the worker that was silent longest was heard of."""
        return time.monotonic() - (min(self._spoke.values()) if self.began else self._opened)

    def advance(self) -> None:
        """Read what was added. Raises CouldNotEvaluate when the generator says that it is in trouble."""
        while piece := os.pread(self._fd, 1 << 20, self._read):
            self._read += len(piece)
            self._rest += piece
            used = 0
            for end, frame in frames(self._rest):
                used = end
                if isinstance(frame, Records):
                    self._take(frame)
                else:
                    self._note(frame)
            self._rest = self._rest[used:]
        if self._trouble:
            raise CouldNotEvaluate(f"load could not be made: {self._trouble}")

    def complete_until(self) -> float:
        """Everything due before this is in."""
        return min(self._complete.values()) if len(self._complete) == self._workers else 0.0

    def samples(self, most: int) -> dict[str, Samples]:
        """Everything due after the warm-up and before `complete_until`, by target, in order of due time; the first
        `most` of each.

        What was due later is left out even where it is answered already: the quick ones are in first.
        """
        import numpy as np

        records = np.concatenate(self._records) if self._records else np.empty(0, self._kind)
        self._records = [records]
        names = np.array(list(self._faults))
        counts = (records["due"] >= self._plan.warm_up) & (records["due"] < self.complete_until())
        found = {}
        for number, target in enumerate(self._plan.targets):
            mine = records[counts & (records["target"] == number)]
            mine = mine[np.argsort(mine["due"], kind="stable")[:most]]
            found[target.name] = Samples(mine["due"], mine["sent"], mine["done"], names[mine["fault"]])
        return found

    def cpu_share(self) -> float:
        """Of one core, what the busiest worker used after the warm-up."""
        shares = [0.0]
        for said in self._cpu.values():
            late = [one for one in said if one[0] >= self._plan.warm_up]
            if len(late) > 1 and late[-1][0] > late[0][0]:
                shares.append((late[-1][1] - late[0][1]) / (late[-1][0] - late[0][0]))
        return max(shares)

    def _take(self, frame: Records) -> None:
        import numpy as np

        now = time.monotonic()
        self._spoke[frame.worker] = now
        self._complete[frame.worker] = frame.complete_until
        self._cpu.setdefault(frame.worker, []).append((frame.at, frame.cpu))
        if frame.packed:
            part = np.frombuffer(frame.packed, self._kind).copy()
            # Each worker numbers faults for itself, in the order in which it meets them.
            ours = [self._theirs.get((frame.worker, theirs), 0) for theirs in range(int(part["fault"].max()) + 1)]
            part["fault"] = np.array(ours)[part["fault"]]
            self._records.append(part)

    def _note(self, said: Mapping[str, Any]) -> None:
        worker = said["worker"]
        if "trouble" in said:
            self._trouble = said["trouble"]
        if "fault" in said:
            self._theirs[worker, said["fault"]] = self._faults.setdefault(said["text"], len(self._faults))
        if "began" in said:
            self._began[worker] = said["began"]

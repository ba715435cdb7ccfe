"""What a model's process may do, what it sees of our environment, and which protections cannot be had here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.scoring import scoring_child
from pytest_mlgates.errors import CouldNotEvaluate

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


STRICT = Confinement()


def child_environment(environ: Mapping[str, str], shown: Collection[str]) -> dict[str, str]:
    """What a process that runs a model sees of `environ`."""
    kept = {k: v for k, v in environ.items() if k in _SHOWN or k in shown or k.startswith(_SHOWN_PREFIXES)}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}


def missing_protections() -> dict[str, str]:
    """The protections that a model's process cannot have here, each with why: tried in a process that is then gone.

    Raises CouldNotEvaluate when that process gives no answer.
    """
    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as outside:
        Path(outside, "secret").write_text("")
        command = [sys.executable, "-I", "-S", scoring_child.__file__, "try", own, outside]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=60, env={}, check=True)
            found: dict[str, str] = json.loads(tried.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            raise CouldNotEvaluate(f"what models can be kept from here could not be tried ({problem})") from None
    return found


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

"""Pods of the stand-in as real containers, where Debian's podman is there: as root, with runc and cgroupfs.

A container sees this machine's /usr, read-only, and nothing else of its files; the network is this machine's, because
a pod's address is a loopback address here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PYTHON = Path("/usr/bin/python3")
#: Inherited limits may be higher than a container is allowed to ask for.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


def missing() -> str:
    """Why there can be no containers here, or ""."""
    lacking = [name for name in ("podman", "runc") if shutil.which(name) is None]
    if lacking or not PYTHON.exists():
        return f"no {', '.join(lacking) or PYTHON}"
    return "" if os.geteuid() == 0 else "not root"


class Containers:
    """Runs a pod's command in a container of its name."""

    def __init__(self, folder: Path) -> None:
        self._rootfs = folder / "rootfs"
        for name in ("etc", "proc", "dev", "sys", "tmp", "usr", "run"):
            (self._rootfs / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64"):
            if Path("/usr", name).exists():
                (self._rootfs / name).symlink_to(f"usr/{name}")
        places = {"driver": "vfs", "runroot": folder / "run", "graphroot": folder / "graph"}
        storage = folder / "storage.conf"
        storage.write_text("[storage]\n" + "".join(f'{key} = "{value}"\n' for key, value in places.items()))
        self._environment = {"PATH": os.environ["PATH"], "CONTAINERS_STORAGE_CONF": str(storage)}
        self._podman = ["podman", "--cgroup-manager=cgroupfs", "--runtime=runc", "--events-backend=none"]

    def command(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        told = [part for key, value in environment.items() if key != "PATH" for part in ("-e", f"{key}={value}")]
        run = ["run", "--rm", "--name", name, "--network=host", "--volume=/usr:/usr:ro", *_LIMITS, *told]
        return [*self._podman, *run, "--rootfs", str(self._rootfs), *command], self._environment

    def end(self, name: str) -> None:
        """Whatever is left of it."""
        subprocess.run(
            [*self._podman, "rm", "--force", "--ignore", "--time=0", name],
            env=self._environment,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def left(self) -> list[str]:
        """The names of the containers that still are there."""
        done = subprocess.run(
            [*self._podman, "ps", "--all", "--format={{.Names}}"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split()

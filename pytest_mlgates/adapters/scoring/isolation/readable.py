"""What a model may read: the system's libraries, Python and its packages, and of /etc and /proc what libraries ask."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

#: Of /etc only what libraries look up; never the rest, which holds passwords.
_ETC = (
    *("ld.so.cache", "ld.so.conf", "localtime", "timezone", "ssl", "pki", "ca-certificates", "nsswitch.conf", "passwd"),
    *("group", "mime.types", "fonts", "OpenCL", "alternatives", "hosts", "resolv.conf", "os-release", "gai.conf"),
)
_PROC = ("self", "cpuinfo", "meminfo", "stat", "sys", "filesystems", "version", "loadavg", "uptime", "driver", "mounts")
#: Of a prefix that other programs share, only where libraries lie: beside them are applications and what they keep.
_PARTS = ("lib", "lib64", "lib32", "libexec", "bin", "sbin", "share", "include")
_COMMON = ("/", "/usr", "/usr/local")
_SYSTEM = (
    *("/nix/store", "/sys/devices", "/sys/fs/cgroup"),
    *("/opt/cuda", "/opt/rocm", "/opt/nvidia", "/opt/intel", "/opt/conda"),
)
_ACCELERATORS = ("nvidia*", "kfd", "dri", "accel")


def readable(more: Iterable[str]) -> Iterable[str]:
    for prefix in _COMMON:
        yield from _of_prefix(prefix)
    yield from map(str, Path("/usr/local").glob("cuda*"))
    yield from _SYSTEM
    yield from (f"/etc/{name}" for name in _ETC)
    yield from (f"/proc/{name}" for name in _PROC)
    yield from more


def accelerators() -> list[str]:
    return [str(found) for pattern in _ACCELERATORS for found in Path("/dev").glob(pattern)]


def packages() -> list[str]:
    """Where Python and its packages lie. Of a folder outside the installation, such as a checkout, only the packages
    in it: beside them may lie what no model should read.
    """
    prefixes = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    found = dict.fromkeys(place for prefix in sorted(prefixes) for place in _of_prefix(prefix))
    known = tuple(place + os.sep for place in found)
    for entry in {os.path.realpath(path) for path in (*sys.path, *_editable()) if path}:
        if (entry + os.sep).startswith(known):
            continue
        if os.path.basename(entry) in ("site-packages", "dist-packages") or os.path.isfile(entry):  # noqa: PTH113, PTH119
            found[entry] = None
            continue
        with contextlib.suppress(OSError):
            found.update(dict.fromkeys(_importable(Path(entry))))
    return list(found)


def _of_prefix(prefix: str) -> list[str]:
    return [str(Path(prefix, part)) for part in _PARTS] if prefix in _COMMON else [prefix]


def _importable(folder: Path) -> Iterable[str]:
    if (folder / "__init__.py").is_file():
        yield str(folder)
        return
    for entry in folder.iterdir():
        module = entry.suffix in (".py", ".so") or entry.name.endswith((".dist-info", ".egg-info"))
        if not entry.name.startswith(".") and (module or (entry.is_dir() and any(entry.glob("*.py")))):
            yield str(entry)


def _editable() -> Iterable[str]:
    """Packages that setuptools' editable installs map by name."""
    for name, module in list(sys.modules.items()):
        if name.startswith("__editable__"):
            yield from map(str, getattr(module, "MAPPING", {}).values())

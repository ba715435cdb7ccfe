"""Which versions of a pinned file the git history of its pointer knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from pytest_mlgates.versions import History, Pinned

#: A pointer changes a few times a year; older commits tell nothing about the present set.
_MOST = 50


def history_of(pointer: Path) -> History:
    """The history of the pointer file; an empty one when it is not in git, or git does not answer."""
    log = _git(pointer, "log", f"-{_MOST}", "--format=%H%x00%ct%x00%s", "--", pointer.name)
    versions = []
    for line in (log or "").splitlines():
        commit, time, subject = line.split("\0", 2)
        md5 = _md5(_git(pointer, "show", f"{commit}:./{pointer.name}"))
        if md5:
            versions.append(Pinned(commit, int(time), subject, md5))
    shallow = (_git(pointer, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    return History(tuple(versions), shallow)


def _md5(text: str | None) -> str:
    """What a pointer's text pins; "" for one that is deleted or no pointer."""
    try:
        return str(yaml.safe_load(text or "")["outs"][0]["md5"])
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return ""


def _git(file: Path, *words: str) -> str | None:
    command = ["git", "-C", str(file.parent), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None

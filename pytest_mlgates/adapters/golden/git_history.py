"""Which versions of a pinned file the git history of its pointer knows."""

from __future__ import annotations

from pathlib import Path

import yaml

from pytest_mlgates.adapters.golden.git_command import answer
from pytest_mlgates.ports.versions import History, Pinned

#: A pointer changes a few times a year; older commits tell nothing about the present set.
_MOST = 50


def history_of(pointer: Path) -> History:
    """The history of the pointer file; an empty one when it is not in git, or git does not answer."""
    log = answer(pointer.parent, "log", f"-{_MOST}", "--format=%H%x00%ct%x00%s", "--", pointer.name)
    versions = []
    for line in (log or "").splitlines():
        commit, time, subject = line.split("\0", 2)
        md5 = pinned_by(answer(pointer.parent, "show", f"{commit}:./{pointer.name}"))
        if md5:
            versions.append(Pinned(commit, int(time), subject, md5))
    shallow = (answer(pointer.parent, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    return History(tuple(versions), shallow)


def pinned_by(text: str | None) -> str:
    """What a pointer's text pins; "" for one that is deleted or no pointer."""
    try:
        return str(yaml.safe_load(text or "")["outs"][0]["md5"])
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return ""
